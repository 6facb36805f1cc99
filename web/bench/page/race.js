// Runs in the page. With ?first=NAME it is the smallest page for one engine: it loads it, classifies
// one picture and notes the time since navigation. Otherwise it waits for race() to be called.
import { takeTurns } from '../rounds.js';

/**
 * An engine, ready to answer.
 * @typedef {(picture: Picture) => Promise<Answer> | Answer} Engine
 *
 * @typedef {object} Picture
 * @property {number[]} colours 0..255, [128][128][3]
 *
 * @typedef {object} Answer
 * @property {Float32Array} logits
 * @property {number} time milliseconds that the network took
 */

const start = {
  'ours, scalar': async () => (await import('./ours.js')).start([]),
  'ours, SIMD': async () => (await import('./ours.js')).start(['simd']),
  'ours, relaxed SIMD': async () => (await import('./ours.js')).start(['simd', 'simd_relaxed']),
  'onnxruntime-web': async () => (await import('./ort.js')).start(),
  'tfjs-backend-wasm': async () => (await import('./tfjs.js')).start(),
};

const pictures = async () => (await fetch('/pictures.json')).json();

/**
 * @param {number} rounds
 * @param {number} times pictures a turn
 * @param {number} warmUp pictures before the race
 */
globalThis.race = async (rounds, times, warmUp) => {
  const all = await pictures();
  const logits = {};
  const racers = {};
  for (const [name, begin] of Object.entries(start)) {
    const engine = await begin();
    logits[name] = [];
    for (const picture of all) logits[name].push([...(await engine(picture)).logits]);
    for (let i = 0; i < warmUp; i++) await engine(all[i % all.length]);
    let turn = 0;
    racers[name] = async () => {
      const picture = all[turn++ % all.length]; // the same for all racers in one round
      let sum = 0;
      for (let i = 0; i < times; i++) sum += (await engine(picture)).time;
      return sum / times;
    };
  }
  return { logits, took: await takeTurns(racers, rounds) };
};

const only = new URLSearchParams(location.search).get('first');
if (only) {
  const [engine, [picture]] = await Promise.all([start[only](), pictures()]);
  await engine(picture);
  globalThis.firstResult = performance.now();
}
globalThis.ready = true;

// Runs in the page. With ?first=NAME it is the smallest page for one engine: it loads it, classifies
// one picture and notes the time since navigation. Otherwise it waits for race() to be called.
import { pictures } from '../engines.js';

/** @type {Record<string, () => Promise<import('../engines.js').Engine>>} */
const start = {
  'ours, SIMD': async () => (await import('./ours.js')).start('SIMD'),
  'ours, relaxed SIMD': async () => (await import('./ours.js')).start('relaxed SIMD'),
  'ours, scalar': async () => (await import('./ours.js')).start('scalar'),
  'onnxruntime-web': async () => (await import('./ort.js')).start(),
  'tfjs-backend-wasm': async () => (await import('./tfjs.js')).start(),
};

const load = async () => pictures(new Uint8Array(await (await fetch('/pictures')).arrayBuffer()));

globalThis.race = async (length) => {
  const { raceEngines } = await import('../rounds.js');
  const engines = {};
  for (const [name, begin] of Object.entries(start)) engines[name] = await begin();
  return raceEngines(engines, await load(), length);
};

const only = new URLSearchParams(location.search).get('first');
if (only) {
  const [engine, [picture]] = await Promise.all([start[only](), load()]);
  await engine(picture);
  globalThis.firstResult = performance.now();
  console.debug('first result', globalThis.firstResult);
}
globalThis.ready = true;

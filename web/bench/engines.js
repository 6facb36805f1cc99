// Engines on equal terms, in a page and in Node: each is a function of a picture that returns its logits and the
// milliseconds from the picture as the engine wants it to the logits as numbers.
import { readReport } from '../src/engine/report.js';

/**
 * @typedef {Uint8Array} Picture [128][128][3]
 *
 * @typedef {(picture: Picture, places?: number[][]) => Promise<Answer> | Answer} Engine places to look at, [8][x, y], where they are
 *   not the policy's: ours alone takes them
 *
 * @typedef {object} Answer
 * @property {ArrayLike<number>} logits
 * @property {number} time milliseconds
 */

const pixels = 128 * 128;

/** The kernels that make each mode of our engine; of those that are right the last runs. */
export const modes = { 'scalar': [], 'SIMD': ['simd'], 'relaxed SIMD': ['simd', 'simd_relaxed'] };

/** @param {Uint8Array} all [count][128][128][3] @returns {Picture[]} */
export const pictures = (all) => Array.from({ length: all.length / (3 * pixels) }, (_, i) => all.subarray(3 * pixels * i, 3 * pixels * (i + 1)));

/**
 * Our engine, with a model opened.
 * @param {import('../src/engine/host.js').Host} host
 * @param {string} model
 * @returns {Engine}
 */
export const ofHost = (host, model) => (picture, places = []) => {
  const rgba = new Uint8Array(4 * pixels).fill(255);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = picture[3 * i + c];
  }
  const { logits, lookTime } = readReport(host.classify(model, { rgba, width: 128, height: 128 }, { pins: places.map(([x, y], step) => ({ step, x, y })) }));
  return { logits, time: lookTime };
};

/**
 * An onnxruntime, of whatever build, with the exported model loaded.
 * @returns {Engine}
 */
export const ofSession = (ort, session) => async (picture) => {
  const planes = new Float32Array(3 * pixels); // [3][128][128]
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) planes[c * pixels + i] = picture[3 * i + c] / 255;
  }
  const image = new ort.Tensor('float32', planes, [1, 3, 128, 128]);
  const before = performance.now();
  const { logits } = await session.run({ image }, ['logits']);
  return { logits: logits.data, time: performance.now() - before };
};

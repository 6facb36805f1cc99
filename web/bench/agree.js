// Do two engines give the same answers? A sharp policy multiplies what rounding leaves with every look, two to
// ten times; what eight looks make of it depends on the picture. So we ask the network itself how far its
// answer moves when every number of the picture moves by a millionth, and allow others ten times that on top.
import { readPictures } from './ours.js';

/** The rule in words. */
export const rule = (base) => `all logits agree to ${base} and ten times what a millionth of each pixel does to them`;

const nudge = 1e-6; // relative; some ten roundings
const factor = 10;

/**
 * What our native program answers, and how far others may be from that.
 * @returns {{ want: import('./ours.js').Answers, allowed: (output: string, base: number) => number[] }} allowed: for each picture
 */
export function expectation(build, weights, file) {
  const want = build.answer(weights, file);
  const moved = [1, 2, 3].map((seed) => build.answer(weights, build.saved('nudged', nudged(readPictures(file).data, seed))));
  const sensitivity = (output, i) => Math.max(...moved.map((answers) => apart(want[output][i].flat(), answers[output][i].flat())));
  return { want, allowed: (output, base) => want[output].map((_, i) => base + factor * sensitivity(output, i)) };
}

function nudged(data, seed) {
  let state = seed;
  const random = () => (state = state * 48271 % 2147483647) / 2147483647;
  return data.map((v) => v * (1 + nudge * (2 * random() - 1)));
}

/** The largest distance between two lists of numbers; NaN if one is, or if one list is shorter. */
export const apart = (a, b) => (a.length === b.length ? Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i]))) : NaN);

/**
 * Throws unless another engine agrees with ours on every picture.
 *
 * @param {string} who and of what
 * @param {number[][]} want
 * @param {ArrayLike<number>[]} got
 * @param {number[]} allowed for each picture
 * @returns {number} how far they are apart at most
 */
export function hold(who, want, got, allowed) {
  const distances = want.map((row, i) => apart(row.flat(), got[i]));
  for (const [i, distance] of distances.entries()) {
    if (!(distance <= allowed[i])) throw new Error(`${who}: ${distance} apart from ours on picture ${i}, allowed ${allowed[i]}; it is not the same network`);
  }
  return Math.max(...distances);
}

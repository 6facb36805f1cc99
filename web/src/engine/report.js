export const IMAGE_SIZE = 128;
export const GLIMPSE_SIZE = 12;
export const SCALES = 4;
export const STEPS = 8;
const COLOURS = 3;
const PATCHES_LENGTH = GLIMPSE_SIZE * GLIMPSE_SIZE * SCALES * COLOURS;

/**
 * One look of the network.
 * @typedef {object} Look
 * @property {number} x centre, -1..1 from left to right
 * @property {number} y centre, -1..1 from top to bottom
 * @property {number} weight how much it counts in the answer, 0..1
 * @property {number} sigmaX standard deviation of the Gaussian that the place was drawn from
 * @property {number} sigmaY
 * @property {Float32Array} probabilities the answer if it had stopped here, one per class
 * @property {Uint8Array} patches what it saw: [GLIMPSE_SIZE][GLIMPSE_SIZE][SCALES][3]
 */

/**
 * @typedef {object} Report
 * @property {number} label index of the most probable class
 * @property {Float32Array} logits
 * @property {Float32Array} probabilities
 * @property {Look[]} looks
 * @property {Uint8Array} picture what the network was shown: [IMAGE_SIZE][IMAGE_SIZE][3]
 * @property {number} prepareTime milliseconds
 * @property {number} lookTime milliseconds
 */

/**
 * Reads the bytes that wasm/browser/report.go writes, which has the layout.
 * @param {import('./host.js').Answer} answer whose report is little endian, as is every machine with a browser
 * @returns {Report}
 */
export function readReport({ report: bytes, prepareTime, lookTime }) {
  let at = bytes.byteOffset;
  /** @param {number} count */
  const numbers = (count) => {
    const view = new Float32Array(bytes.buffer, at, count);
    at += 4 * count;
    return view;
  };
  /** @param {number} count */
  const colours = (count) => {
    const view = new Uint8Array(bytes.buffer, at, count);
    at += count;
    return view;
  };

  const [classes, count, label] = numbers(3);
  const logits = numbers(classes);
  const probabilities = numbers(classes);
  /** @type {Look[]} */
  const looks = [];
  for (let i = 0; i < count; i++) {
    const [x, y, weight, sigmaX, sigmaY] = numbers(5);
    looks.push({ x, y, weight, sigmaX, sigmaY, probabilities: numbers(classes), patches: new Uint8Array(0) });
  }
  const picture = colours(IMAGE_SIZE * IMAGE_SIZE * COLOURS);
  for (const look of looks) look.patches = colours(PATCHES_LENGTH);
  return { label, logits, probabilities, looks, picture, prepareTime, lookTime };
}

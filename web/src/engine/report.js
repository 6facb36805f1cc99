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
 * @property {number} meanX its mean: where the policy would have looked, had nobody interfered
 * @property {number} meanY
 * @property {Float32Array} probabilities the answer if it had stopped here, one per class
 * @property {Uint8Array} patches what it saw: [GLIMPSE_SIZE][GLIMPSE_SIZE][SCALES][3]
 */

/**
 * What it made of a picture. Of several samples the answers are means, and looks are those of the first.
 * @typedef {object} Report
 * @property {number} label index of the most probable class
 * @property {Float32Array} logits
 * @property {Float32Array} probabilities
 * @property {Look[]} looks
 * @property {Look[][]} others the looks of the other samples
 * @property {Uint8Array} picture what the network was shown: [IMAGE_SIZE][IMAGE_SIZE][3]
 * @property {number} prepareTime milliseconds
 * @property {number} lookTime milliseconds, of all samples
 */

/**
 * @param {import('./host.js').Answer} answer
 * @returns {Report}
 */
export function readReport({ reports, prepareTime, lookTime }) {
  const [first, ...rest] = reports.map(readSample);
  const all = [first, ...rest];
  if (rest.length > 0) {
    first.logits = mean(all.map(({ logits }) => logits));
    first.probabilities = mean(all.map(({ probabilities }) => probabilities));
    first.label = first.probabilities.indexOf(Math.max(...first.probabilities));
    first.looks.forEach((look, i) => {
      look.probabilities = mean(all.map(({ looks }) => looks[i].probabilities));
    });
  }
  return { ...first, others: rest.map(({ looks }) => looks), prepareTime, lookTime };
}

/** @param {Float32Array[]} vectors */
const mean = (vectors) => vectors[0].map((_, i) => vectors.reduce((sum, vector) => sum + vector[i], 0) / vectors.length);

/**
 * Reads the bytes that wasm/browser/report.go writes, which has the layout: little endian, as is every machine with a browser.
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
function readSample(bytes) {
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
    const [x, y, weight, sigmaX, sigmaY, meanX, meanY] = numbers(7);
    looks.push({ x, y, weight, sigmaX, sigmaY, meanX, meanY, probabilities: numbers(classes), patches: new Uint8Array(0) });
  }
  const picture = colours(IMAGE_SIZE * IMAGE_SIZE * COLOURS);
  for (const look of looks) look.patches = colours(PATCHES_LENGTH);
  return { label, logits, probabilities, looks, picture };
}

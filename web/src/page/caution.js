// Whether a picture is likely none of the classes. The network itself cannot tell: it is as sure of a plain wall as of a
// ship. What helps is how the picture differs from those that it learnt from, and how little speaks for any class.
// The ranges are those of `go run ./web/caution`, which finds them on validation pictures, be they learnt from,
// and counts what they catch of others. A network that it has not measured gets no caution.

/** @typedef {[low: number, high: number]} Range */

/**
 * @typedef {object} Measured
 * @property {Range} brightness mean of 0..255
 * @property {Range} contrast standard deviation
 * @property {Range} roughness mean difference of neighbours
 * @property {Range} evidence logarithm of the sum of exp(logit)
 */

/** For tensors of a SHA-256, which a test compares: other weights have other ranges. @type {Record<string, Measured & { tensors: string, says: string }>} */
export const measured = {
  mnist: {
    tensors: '18f1d9683287a5f01f24167475089c7bfa005b09bf1775e25fdfef1efcc77b83',
    brightness: [8.503, 35.73], contrast: [34.25, 79.02], roughness: [7.182, 17.24], evidence: [3.36, Infinity],
    says: 'So it warns of 6 in 100 digits, and of nearly all photographs.',
  },
  cifar10: {
    tensors: '09979aaf1b648668e0035bc427701b1d56e1860a9328305643b12a1d44ba390c',
    brightness: [41.21, 213.1], contrast: [15.05, 86.89], roughness: [2.453, 21.16], evidence: [1.568, Infinity],
    says: 'So it warns of 7 in 100 pictures of its ten things, of all digits and plain walls, but of only 31 in 100 photographs of other things.',
  },
  cifar100: {
    tensors: '72549269f4cf2610c9e32af5b7695099ea185da6c4f726f3da3049432de2f0ec',
    brightness: [40.19, 226.4], contrast: [14.63, 88.58], roughness: [2.126, 22.79], evidence: [2.345, Infinity],
    says: 'So it warns of 7 in 100 pictures of its hundred things, of nearly all digits and plain walls; with photographs of other things it was not tried.',
  },
};

/** What is said where a measure lies below or above its range. @type {Record<keyof Measured, [string, string]>} */
const words = {
  brightness: ['it is darker than nearly all that it learnt from', 'it is brighter than nearly all that it learnt from'],
  contrast: ['it has less contrast than nearly all that it learnt from', 'it has more contrast than nearly all that it learnt from'],
  roughness: ['it is smoother than nearly all that it learnt from', 'it is busier than nearly all that it learnt from'],
  evidence: ['little speaks for any class', ''],
};

/**
 * @param {string} model name of the weights
 * @param {import('../engine/report.js').Report} report
 * @param {boolean} free whether the network chose all looks itself; else its evidence is another's
 * @returns {{ reason: string, says: string } | undefined} why the picture is perhaps none of the classes, and how far that is to be trusted
 */
export function caution(model, report, free) {
  const ranges = measured[model];
  if (!ranges) return undefined;
  const found = { ...statistics(report.picture), evidence: Math.log(report.logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) };
  for (const [name, value] of /** @type {[keyof Measured, number][]} */ (Object.entries(found))) {
    const [low, high] = ranges[name];
    if (name === 'evidence' && !free) continue;
    if (value < low || value > high) return { reason: words[name][value < low ? 0 : 1], says: ranges.says };
  }
  return undefined;
}

const SIZE = 128;
const SQUARE = 4; // of pixels, as web/caution does: photographs are sharper than the data sets' enlarged pictures

/** @param {Uint8Array} rgb [SIZE][SIZE][3] */
function statistics(rgb) {
  const side = SIZE / SQUARE;
  const sums = new Uint32Array(side * side);
  for (let y = 0, i = 0; y < SIZE; y++) {
    const row = Math.floor(y / SQUARE) * side;
    for (let x = 0; x < SIZE; x++, i += 3) sums[row + Math.floor(x / SQUARE)] += rgb[i] + rgb[i + 1] + rgb[i + 2];
  }
  const squares = Float64Array.from(sums, (all) => all / (3 * SQUARE * SQUARE));
  let sum = 0, powers = 0, differences = 0;
  squares.forEach((v, i) => {
    sum += v;
    powers += v * v;
    if (i % side > 0) differences += Math.abs(v - squares[i - 1]);
  });
  const brightness = sum / squares.length;
  return {
    brightness,
    contrast: Math.sqrt(Math.max(0, powers / squares.length - brightness * brightness)),
    roughness: differences / (squares.length - side),
  };
}

/**
 * The answer as `gdram predict --json` tells it, and what more a page knows.
 * @typedef {object} Result
 * @property {string} label the most probable class
 * @property {number} probability
 * @property {{ label: string, probability: number }[]} top the most probable classes
 * @property {Glimpse[]} glimpses
 *
 * @typedef {object} Glimpse
 * @property {number} x
 * @property {number} y
 * @property {number} weight
 * @property {number} sigma mean of the two that follow
 * @property {number} sigma_x
 * @property {number} sigma_y
 */

/**
 * @param {import('./report.js').Report} report
 * @param {string[]} labels
 * @param {number} most how many classes top has
 * @returns {Result}
 */
export function describe({ label, probabilities, looks }, labels, most) {
  return {
    label: labels[label],
    probability: short(probabilities[label]),
    top: ranking(probabilities, most).map((kind) => ({ label: labels[kind], probability: short(probabilities[kind]) })),
    glimpses: looks.map(({ x, y, weight, sigmaX, sigmaY }) => ({
      x: short(x), y: short(y), weight: short(weight), sigma: short((sigmaX + sigmaY) / 2), sigma_x: short(sigmaX), sigma_y: short(sigmaY),
    })),
  };
}

/** Indices of the most probable classes. @param {Float32Array} probabilities @param {number} most */
export function ranking(probabilities, most) {
  return [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]).slice(0, most);
}

/** The shortest number that is the same float32. @param {number} value */
function short(value) {
  for (let digits = 6; ; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (digits === 9 || Math.fround(rounded) === Math.fround(value)) return rounded;
  }
}

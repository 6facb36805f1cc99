// How everything here is measured: the racers take turns in one process or page, so that whatever
// else the machine does hits all of them, and a round counts by its ratios.

/**
 * @typedef {() => number | Promise<number>} Racer runs once and returns what one unit took, in milliseconds
 */

/**
 * Every racer once to warm up, then all of them in every round. The order changes from round to round.
 *
 * @template {string} Name
 * @param {Record<Name, Racer>} racers
 * @param {number} rounds
 * @param {number} rest milliseconds before each turn: threads of a racer that spin after its turn must be done
 * @returns {Promise<Record<Name, number[]>>} milliseconds, one a round
 */
export async function takeTurns(racers, rounds, rest = 0) {
  const names = Object.keys(racers);
  const took = Object.fromEntries(names.map((name) => [name, []]));
  for (const name of names) await racers[name]();
  for (let round = 0; round < rounds; round++) {
    const first = round % names.length;
    const order = [...names.slice(first), ...names.slice(0, first)];
    for (const name of round % 2 ? order.reverse() : order) {
      if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
      took[name].push(await racers[name]());
    }
  }
  return took;
}

/** The largest distance between two lists of numbers; NaN if one is. */
const apart = (a, b) => Math.max(...a.map((v, i) => Math.abs(v - b[i])));

/** Holds that two engines gave the same answer: a race between different networks means nothing. */
export function sameAnswer(who, want, got, allowed) {
  if (got.length !== want.length || !(apart(want, got) <= allowed)) {
    throw new Error(`${who} answers ${[...got]}, ours ${[...want]}: not the same to ${allowed}, so it is another network and there is no race`);
  }
}

/**
 * The pictures by which networks can be told apart. A sharp policy multiplies what rounding leaves with every
 * look, so that on some pictures even our own kernels differ among each other: those tell nothing.
 *
 * @param {number[][][]} logits [way to compute][picture][class]
 * @returns {number[]} at least half of the pictures
 */
export function steady([first, ...others]) {
  const pictures = [...first.keys()].filter((i) => others.every((logits) => apart(first[i], logits[i]) <= 1e-4));
  if (2 * pictures.length < first.length) throw new Error(`our own kernels agree on ${pictures.length} of ${first.length} pictures alone; run the tests`);
  return pictures;
}

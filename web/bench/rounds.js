// How everything here is measured: the racers take turns in one process or page, so that whatever
// else the machine does hits all of them, and a round counts by its ratios.

/**
 * Every racer once to warm up, then all of them in every round. The order changes from round to round.
 *
 * @template {string} Name
 * @param {Record<Name, () => number | Promise<number>>} racers each returns what one unit took, in milliseconds
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

/**
 * Races engines over pictures, one at a time; in a round all get the same.
 *
 * @param {Record<string, import('./engines.js').Engine>} engines
 * @param {import('./engines.js').Picture[]} pictures
 * @param {{ rounds: number, times: number, warmUp: number }} length rounds, pictures a turn, and pictures before the race
 * @returns {Promise<{ logits: Record<string, number[][]>, took: Record<string, number[]> }>}
 */
export async function raceEngines(engines, pictures, { rounds, times, warmUp }) {
  const logits = {};
  const racers = {};
  for (const [name, engine] of Object.entries(engines)) {
    logits[name] = [];
    for (const picture of pictures) logits[name].push([...(await engine(picture)).logits]);
    for (let i = 0; i < warmUp; i++) await engine(pictures[i % pictures.length]);
    let turn = 0;
    racers[name] = async () => {
      const picture = pictures[turn++ % pictures.length];
      let sum = 0;
      for (let i = 0; i < times; i++) sum += (await engine(picture)).time;
      return sum / times;
    };
  }
  return { logits, took: await takeTurns(racers, rounds) };
}

/** The largest distance between two lists of numbers; NaN if one is. */
export const apart = (a, b) => Math.max(...a.map((v, i) => Math.abs(v - b[i])));

const allowed = 1e-3; // between logits of two engines

/**
 * Holds that other engines answer as ours does: a race between different networks means nothing.
 *
 * A sharp policy multiplies what rounding leaves with every look. On some pictures even our own kernels differ
 * among each other by that; those tell nothing and are left out, if they are not more than half.
 *
 * @param {Record<string, number[][]>} logits [engine][picture][class]
 * @param {string[]} ours
 * @param {string[]} theirs
 * @returns {string} how far they agreed
 */
export function sameAnswers(logits, ours, theirs) {
  const [first, ...others] = ours.map((name) => logits[name]);
  const steady = [...first.keys()].filter((i) => others.every((other) => apart(first[i], other[i]) <= 1e-4));
  if (2 * steady.length < first.length) throw new Error(`our own kernels agree on ${steady.length} of ${first.length} pictures alone; run the tests`);
  for (const name of theirs) {
    for (const i of steady) {
      const [want, got] = [first[i], logits[name][i]];
      if (got.length !== want.length || !(apart(want, got) <= allowed)) {
        throw new Error(`${name} answers ${got}, ours ${want}: not the same to ${allowed}, so it is another network and there is no race`);
      }
    }
  }
  return `their logits agree to ${allowed}, on the ${steady.length} of ${first.length} pictures on which our own kernels agree to 1e-4`;
}

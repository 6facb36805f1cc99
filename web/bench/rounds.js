// How everything here is measured: the racers take turns in one process or page, so that whatever
// else the machine does hits all of them, and a round counts by its ratios.

/**
 * Every racer once to warm up, then all of them in every round. The order changes from round to round.
 *
 * @template {string} Name
 * @param {Record<Name, () => number | Promise<number>>} racers each returns what one unit took, in milliseconds
 * @param {object} length
 * @param {number} length.rounds at most
 * @param {number} [length.seconds] after which no round begins, on a slow machine; but three there are
 * @param {number} [length.rest] milliseconds before each turn: threads of a racer that spin after its turn must be done
 * @returns {Promise<Record<Name, number[]>>} milliseconds, one a round
 */
export async function takeTurns(racers, { rounds, seconds = 60, rest = 0 }) {
  const names = Object.keys(racers);
  const took = Object.fromEntries(names.map((name) => [name, []]));
  for (const name of names) await racers[name]();
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round < rounds && (round < 3 || performance.now() < end); round++) {
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
 * @param {{ rounds: number, times: number, warmUp: number }} length times is pictures a turn, warmUp pictures before the race
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
  return { logits, took: await takeTurns(racers, { rounds }) };
}

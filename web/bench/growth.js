// How our own time grows: with looks, pictures, threads and classes. Each row is a race against the first of its table.
import { start } from './child.js';
import { takeTurns } from './rounds.js';
import { spread, table } from './table.js';
import { inThreads, threadCounts } from './threads.js';

export const title = 'Growth';

const length = { rounds: 15, seconds: 20 };
const turn = 40; // pictures of eight looks that a turn takes about, whatever its shape

export async function run(build) {
  const weights = build.formula(10);
  const file = build.samples('cifar10');
  const one = start(build.racer, ['race', weights, file, '1']);
  const hundred = start(build.racer, ['race', build.formula(100), file, '1']);
  const crews = Object.fromEntries(threadCounts().map((n) => [inThreads(n), start(build.racer, ['race', weights, file, String(n)])]));
  const ask = (child, batch, looks) => async () => (await child.ask(batch, looks, Math.ceil(turn * 8 / (batch * looks))))[0];
  const each = (list, name, racer) => Object.fromEntries(list.map((n) => [name(n), racer(n)]));
  try {
    const texts = [
      describe('Looks at one picture, one thread.', 'ms',
        await takeTurns(each([1, 2, 3, 4, 5, 6, 7, 8], (n) => (n === 1 ? '1 look' : `${n} looks`), (n) => ask(one, 1, n)), length)),
      describe('Pictures at once, eight looks, one thread: milliseconds a picture. From eight on they share a block.', 'ms a picture',
        await takeTurns(each([1, 2, 8, 16, 32, 64, 128, 256], (n) => (n === 1 ? '1 picture' : `${n} pictures`),
          (n) => async () => (await ask(one, n, 8)()) / n), length)),
      describe('Threads, 128 pictures at once, eight looks.', 'ms',
        await takeTurns(Object.fromEntries(Object.entries(crews).map(([name, child]) => [name, ask(child, 128, 8)])), length)),
      describe('Classes, one picture, eight looks, one thread.', 'ms',
        await takeTurns({ '10 classes': ask(one, 1, 8), '100 classes': ask(hundred, 1, 8) }, length)),
    ];
    return { versions: {}, text: `Our own time, native, up to ${length.rounds} rounds.\n\n${texts.join('\n\n')}` };
  } finally {
    for (const child of [one, hundred, ...Object.values(crews)]) child.stop();
  }
}

function describe(sentence, unit, took) {
  const [first] = Object.keys(took);
  const rows = Object.entries(took).map(([name, all]) => [name, spread(all, 3), spread(all.map((ms, i) => ms / took[first][i]))]);
  return `${sentence}\n\n${table(['', unit, `times ${first}`], rows)}`;
}

// What the races rest on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apart, hold } from './agree.js';
import { withSections } from './report.js';
import { takeTurns } from './rounds.js';
import { faster, spread } from './table.js';

test('racers take turns, in changing order', async () => {
  const turns = [];
  const racer = (name) => () => turns.push(name);
  const took = await takeTurns({ a: racer('a'), b: racer('b'), c: racer('c') }, { rounds: 4 });
  assert.equal(turns.slice(0, 3).join(''), 'abc', 'to warm up');
  const rounds = [0, 1, 2, 3].map((i) => turns.slice(3 + 3 * i, 6 + 3 * i));
  for (const round of rounds) assert.deepEqual(round.toSorted(), ['a', 'b', 'c']);
  assert.ok(new Set(rounds.map((round) => round[0])).size > 1, `${rounds}`);
  assert.deepEqual(Object.values(took).map((all) => all.length), [4, 4, 4], 'the turn to warm up does not count');
});

test('a slow machine gets fewer rounds, but three', async () => {
  const took = await takeTurns({ slow: () => new Promise((resolve) => setTimeout(resolve, 20, 1)) }, { rounds: 100, seconds: 0.01 });
  assert.equal(took.slow.length, 3);
});

test('ratios are those of the rounds', () => {
  assert.equal(faster([1, 2, 4], [3, 6, 12]), '3.00 (3.00 to 3.00)');
  assert.equal(spread([5, 1, 3, 2, 4], 1), '3.0 (1.4 to 4.6)');
});

test('another network is refused', () => {
  const want = [[1, 2], [3, 4]];
  assert.equal(hold('x', want, [[1, 2], [3, 4]], [0, 0]), 0);
  assert.throws(() => hold('x', want, [[1, 2], [3, 4.2]], [0.1, 0.1]), /on picture 1/);
  assert.throws(() => hold('x', want, [[1, NaN], [3, 4]], [0.1, 0.1]), /NaN apart/);
  assert.throws(() => hold('x', want, [[1, 2, 3], [3, 4]], [0.1, 0.1]), /NaN apart/);
  assert.ok(Number.isNaN(apart([1], [])));
});

test('a section is rewritten alone, in its place', () => {
  const order = ['One', 'Two', 'Three'];
  const first = withSections('', order, { Three: 'c' });
  const second = withSections(first, order, { One: 'a\n\n| x |' });
  const third = withSections(second, order, { Three: 'C' });
  assert.match(first, /^# Written by `make bench`/);
  assert.equal(third.slice(third.indexOf('## ')), '## One\n\na\n\n| x |\n\n## Three\n\nC\n');
});

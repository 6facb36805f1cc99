// Nobody is tied to our entry module: the program also runs under the one that its library comes with.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { deployed, folder, photo, sample, start, top } from './runtime.js';

let stock;
let ours;

before(async () => {
  const build = path.join(folder, 'build');
  execFileSync('go', ['run', 'github.com/syumai/workers/cmd/workers-assets-gen', '-mode=go', '-o', path.join(build, 'stock')],
    { cwd: top, stdio: 'inherit' });
  cpSync(path.join(build, 'program.wasm'), path.join(build, 'stock/app.wasm'));
  stock = await start({ config: { name: 'stock', main: 'test/stock.js', compatibility_date: '2026-09-01' } });
  ours = await start(deployed);
});
after(() => Promise.all([stock, ours].map((worker) => worker?.harness.close())));

test('it answers as it does under ours', async () => {
  const ask = async (worker, type, body, query = '') => {
    const response = await fetch(new URL(`/api/classify${query}`, worker.direct), { method: 'POST', body, headers: { 'Content-Type': type } });
    return { status: response.status, type: response.headers.get('content-type'), ...await response.json() };
  };
  for (const [type, body, query] of [
    ['image/png', sample('cifar10/horse-13.png')],
    ['image/jpeg', photo('photo.jpg'), '?top=1&samples=8'], // see api.test.js
    ['image/png', sample('mnist/8-22.png'), '?model=mnist&fast=1'],
    ['image/jpeg', 'hello'],
    ['image/png', sample('mnist/8-22.png'), '?model=letters'],
  ]) {
    const want = await ask(ours, type, body, query);
    const got = await ask(stock, type, body, query);
    for (const key of ['status', 'type', 'label', 'error', 'sha256', 'glimpses_used']) assert.equal(got[key], want[key], key);
    if (want.status === 200) assert.ok(Math.abs(got.probability - want.probability) < 0.05);
  }
});

test('it serves the rest of the API', async () => {
  const health = await fetch(new URL('/api/health', stock.direct));
  assert.deepEqual(await health.json(), { status: 'ok', kernels: 'scalar' });
  assert.equal((await fetch(new URL('/api/nothing', stock.direct))).status, 404);
});

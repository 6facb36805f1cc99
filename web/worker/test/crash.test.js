// What the program's handler cannot catch ends the program, costs that request a 500, and nobody else anything.
import assert from 'node:assert/strict';
import { cpSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { compile } from '../build.js';
import { deployed, folder, photo, start } from './runtime.js';

/** @type {Awaited<ReturnType<typeof start>>} */
let worker;

before(async () => {
  // The deployed Worker, but for a program with /api/crash.
  const upload = path.join(folder, 'build/crash');
  cpSync(path.join(folder, deployed.prebuiltWorkerDir), upload, { recursive: true });
  compile('simd,crash', path.join(upload, readdirSync(upload).find((file) => file.endsWith('-program.wasm'))));
  worker = await start({ ...deployed, prebuiltWorkerDir: upload });
});
after(() => worker?.harness.close());

const ask = (address, options) => fetch(new URL(address, worker.direct), options);

async function classify() {
  const response = await ask('/api/classify', { method: 'POST', body: photo('photo.jpg'), headers: { 'Content-Type': 'image/jpeg' } });
  assert.equal(response.status, 200);
  return response.json();
}

for (const how of ['goroutine', 'memory', 'wait', 'handler']) {
  test(`${how}: one 500, and the next request is answered`, async () => {
    const before = await classify();
    const response = await ask(`/api/crash?${how}`);
    assert.equal(response.status, 500);
    const said = await response.json();
    assert.deepEqual(Object.keys(said), ['error']);
    assert.doesNotMatch(said.error, /goroutine|panic|memory|runtime/);
    assert.deepEqual(await classify(), before);
  });
}

test('those who ask at the same time are answered', async () => {
  const before = await classify();
  const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => (i % 4 === 1 ? ask('/api/crash?goroutine') : classify())));
  for (const [i, answer] of answers.entries()) {
    if (i % 4 === 1) assert.equal(answer.status, 500);
    else assert.deepEqual(answer, before);
  }
});

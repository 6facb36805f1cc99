// Five thousand requests: what the isolate holds stays what it was, to half a megabyte or two, and the process grows as one does
// around a Worker of three lines. How much garbage lies between what is in use when Go's collector comes differs from run to run, and
// WebAssembly never gives back; a leak of 300 bytes a request would show.
process.env.MINIFLARE_WORKERD_V8_FLAGS = '--expose-gc';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { linux, memory, sample, start, uploadSize } from './runtime.js';

const REQUESTS = 5000;
const WARM = 1000; // until buffers and caches have their size

let worker;
let hello;

before(async () => {
  const compatibility_date = '2026-09-01';
  worker = await start({ config: { name: 'measured', main: 'test/measured.js', compatibility_date, vars: { UPLOAD_SECONDS: 30 } } });
  hello = await start({ config: { name: 'hello', main: 'bench/hello.js', compatibility_date } });
});
after(() => Promise.all([worker, hello].map((one) => one?.harness.close())));

const held = async () => (await fetch(new URL('/memory', worker.direct))).json();

async function send(to, count) {
  const body = sample('cifar10/horse-13.png');
  let left = count;
  await Promise.all(Array.from({ length: 4 }, async () => {
    while (left-- > 0) {
      const response = await fetch(new URL('/api/classify?fast=1', to.direct), { method: 'POST', body, headers: { 'Content-Type': 'image/png' } });
      assert.equal(response.status, 200);
      await response.arrayBuffer();
    }
  }));
}

test('memory does not grow', { skip: !linux }, async () => {
  for (const one of [worker, hello]) await send(one, WARM);
  const [own, others] = [await held(), [worker, hello].map(({ pid }) => memory(pid).now)];
  for (const one of [worker, hello]) await send(one, REQUESTS - WARM);
  const later = await held();
  assert.equal(own.length, 2, 'one program and one decoder');
  assert.equal(later.length, 2, 'the same ones');
  assert.ok(later[0] <= own[0] + 1, `the program had ${own[0]} MB, and has ${later[0]}`);
  assert.equal(later[1], own[1], 'megabytes of the decoder');
  const [ours, least] = [worker, hello].map(({ pid }, i) => memory(pid).now - others[i]);
  assert.ok(ours < least + 48, `the process grew by ${ours} MB, and by ${least} around a Worker that does nothing`);
});

test('the upload leaves room under the limit for other networks', () => {
  assert.ok(uploadSize() < 16e6, `it is ${(uploadSize() / 1e6).toFixed(1)} MB`);
});

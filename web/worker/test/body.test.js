// What a body takes while it arrives.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { readBody } from '../src/body.js';

const MiB = 1 << 20;

/** A request whose body the test sends. */
function begin() {
  let to;
  const body = new ReadableStream({ start: (controller) => { to = controller; } });
  return { to, read: readBody({ body, headers: new Headers() }, 60, true) };
}

test('pieces of a byte take what their bytes do, not what the runtime gives each', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const held = () => {
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  const pieces = 20_000; // 78 MiB as they come
  const before = held();
  let most;
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (sent === pieces) {
        most = held();
        controller.close();
        return;
      }
      controller.enqueue(new Uint8Array(4096).fill(sent++, 0, 1).subarray(0, 1)); // as workerd gives them
    },
  });
  const whole = await readBody({ body, headers: new Headers() }, 60, true);
  assert.equal(whole.length, pieces);
  assert.ok(whole.every((byte, i) => byte === i % 256), 'every byte in its place');
  assert.ok(most < before + 20 * MiB, `${((most - before) / MiB).toFixed(1)} MB were held`);
});

test('what counts is the room that bodies take', async () => {
  const large = Array.from({ length: 3 }, begin);
  const size = 4 * MiB + 1; // which takes 8 MiB once it has grown
  for (const { to } of large) {
    to.enqueue(new Uint8Array(4 * MiB));
    to.enqueue(new Uint8Array(1));
  }
  await new Promise(setImmediate);
  const fourth = begin();
  fourth.to.enqueue(new Uint8Array(1));
  fourth.to.close();
  await assert.rejects(fourth.read, { status: 429, headers: { 'Retry-After': '1' } });

  for (const { to, read } of large) {
    to.close();
    assert.equal((await read).length, size);
  }
  const fifth = begin();
  fifth.to.enqueue(new Uint8Array(8 * MiB));
  fifth.to.close();
  assert.equal((await fifth.read).length, 8 * MiB, 'there is room again');
});

// Bulk from end to end: pictures in a bucket, messages about them in a queue, lines of JSON in the bucket. R2
// tells a queue of what is put only in the cloud; here the tests send the same messages.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { folder, photo, sample, start } from './runtime.js';

// As deployed, but for the waiting.
const { env: { bulk } } = JSON.parse(readFileSync(path.join(folder, 'wrangler.jsonc'), 'utf8').replace(/^ *\/\/.*$/gm, ''));
const [consumer] = bulk.queues.consumers;
const quick = { ...bulk, compatibility_date: '2026-09-01', queues: { consumers: [{ ...consumer, max_batch_timeout: 1, retry_delay: 0 }] } };

/** @type {Awaited<ReturnType<typeof start>>} */
let worker;
let bucket;
let queue;
let forgotten;

before(async () => {
  worker = await start(
    { config: { ...quick, main: 'test/mortal.js' } },
    // Sends messages, and keeps in the bucket those that were given up.
    { config: {
      name: 'post', main: 'test/post.js', compatibility_date: '2026-09-01', r2_buckets: bulk.r2_buckets,
      queues: { producers: [{ binding: 'QUEUE', queue: consumer.queue }, { binding: 'FORGOTTEN', queue: 'forgotten' }], consumers: [{ queue: consumer.dead_letter_queue, max_batch_timeout: 1 }] },
    } },
    // What a deploy without bulk leaves of one with it: a consumer without its bucket.
    { config: {
      name: 'forgotten', main: 'src/worker.js', compatibility_date: '2026-09-01',
      queues: { consumers: [{ queue: 'forgotten', max_batch_timeout: 1, max_retries: 0, dead_letter_queue: consumer.dead_letter_queue }] },
    } },
  );
  ({ BUCKET: bucket, QUEUE: queue, FORGOTTEN: forgotten } = await worker.harness.getWorker('post').getEnv());
});
after(() => worker?.harness.close());

/** What R2 tells of a picture that was put. */
const event = ({ key, size, etag }) => ({
  account: 'account', bucket: 'gdram-bulk', action: 'PutObject', object: { key, size, eTag: etag }, eventTime: '2026-09-01T00:00:00Z',
});

async function put(key, body) {
  const object = await bucket.put(key, body);
  await queue.send(event(object));
  return object;
}

/** Asks for something until it is there; for minutes, as the machine may be busy. */
async function come(what, ask) {
  for (const last = Date.now() + 3 * 60_000; Date.now() < last;) {
    const there = await ask();
    if (there) return there;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not come`);
}

/** Waits for a file of the bucket, and reads it. */
const read = (key, done = () => true) => come(key, async () => {
  const text = await (await bucket.get(key))?.text();
  return text && done(text) && text;
});

async function answer(key, done) {
  const text = await read(key, done && ((text) => done(JSON.parse(text))));
  assert.match(text, /^[^\n]+\n$/, 'one line');
  return JSON.parse(text);
}

const list = async (prefix) => (await bucket.list({ prefix })).objects.map(({ key }) => key).sort();

test('pictures become lines, whatever they are', async () => {
  const rgba = new Uint8Array(128 * 128 * 4).fill(255);
  const horse = await put('pictures/cifar10/farm/horse.png', sample('cifar10/horse-13.png'));
  await put('pictures/cifar10/photo.jpg', photo('photo.jpg'));
  await put('pictures/mnist/8.png', sample('mnist/8-22.png'));
  await put('pictures/mnist/white.rgba', rgba);
  await put('pictures/cifar10/text.png', 'no picture at all');
  await put('pictures/letters/a.png', sample('mnist/8-22.png'));
  await put('pictures/cifar10/large.jpg', new Uint8Array((8 << 20) + 1));

  const line = await answer('results/cifar10/farm/horse.png.jsonl');
  assert.equal(line.key, 'pictures/cifar10/farm/horse.png');
  assert.equal(line.etag, horse.etag);
  assert.equal(line.label, 'horse');
  assert.equal(line.model, 'cifar10');
  assert.equal(line.glimpses.length, 8);
  assert.equal((await answer('results/cifar10/photo.jpg.jsonl')).label, 'dog');
  assert.equal((await answer('results/mnist/8.png.jsonl')).label, '8');
  assert.equal((await answer('results/mnist/white.rgba.jsonl')).model, 'mnist');
  assert.match((await answer('results/cifar10/text.png.jsonl')).error, /not a picture/);
  assert.match((await answer('results/letters/a.png.jsonl')).error, /no model/);
  assert.match((await answer('results/cifar10/large.jpg.jsonl')).error, /8 MiB/);
});

test('a message that comes again changes nothing; a picture that is replaced does', async () => {
  const key = 'pictures/cifar10/again.png';
  const place = 'results/cifar10/again.png.jsonl';
  const first = await put(key, sample('cifar10/frog-29.png'));
  assert.equal((await answer(place)).label, 'frog');
  const written = (await bucket.head(place)).uploaded.getTime();
  await queue.sendBatch([{ body: event(first) }, { body: event(first) }]);
  await put('pictures/cifar10/after.png', sample('cifar10/frog-29.png'));
  await answer('results/cifar10/after.png.jsonl');
  assert.equal((await bucket.head(place)).uploaded.getTime(), written, 'it was not written again');

  const second = await put(key, sample('cifar10/airplane-27.png'));
  assert.equal((await answer(place, ({ etag }) => etag === second.etag)).label, 'airplane');

  await bucket.delete(key);
  await queue.send(event(second));
});

test('what is no message about a picture ends in the dead-letter queue, and holds nobody up', async () => {
  const before = (await list('failed/')).length;
  await queue.sendBatch([{ body: 'hello' }, { body: { object: { key: 'elsewhere/a.png' } } }, { body: null }]);
  await put('pictures/cifar10/beside.png', sample('cifar10/dog-16.png'));
  await answer('results/cifar10/beside.png.jsonl');
  await come('the third of them', async () => (await list('failed/')).length >= before + 3);
  assert.equal((await list('failed/')).length, before + 3);
});

test('a consumer that is killed in the middle loses no message and doubles none', async () => {
  const failed = (await list('failed/')).length;
  const names = Array.from({ length: 12 }, (_, i) => `kill-${i}.png`);
  const objects = [];
  for (const name of names) objects.push(await bucket.put(`pictures/cifar10/${name}`, sample('cifar10/bird-75.png')));
  await queue.sendBatch(objects.map((object) => ({ body: event(object) })));
  for (const name of names) assert.equal((await answer(`results/cifar10/${name}.jsonl`)).label, 'bird');
  const deaths = Number(await read('deaths'));
  assert.ok(deaths >= 2, `it died ${deaths} times`);
  assert.equal((await list('results/cifar10/kill-')).length, names.length);
  assert.equal((await list('failed/')).length, failed);
});

test('a consumer without its bucket says so once a batch, and gives the messages back', async () => {
  const before = (await list('failed/')).length;
  await forgotten.sendBatch([{ body: 'first' }, { body: 'second' }]);
  await come('both, given up at once', async () => (await list('failed/')).length >= before + 2);
  const said = worker.harness.getLogs().map(({ message }) => message).filter((line) => /bucket/.test(line));
  assert.equal(said.length, 1, said.join('\n'));
  assert.match(said[0], /make deploy BULK=1/);
});

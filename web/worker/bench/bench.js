// What requests cost: processor time of the runtime's process for each, and memory at its highest, beside a
// Worker of three lines in the same runtime, whose share is the runtime's own. Rounds of all rows take turns.
import { readdirSync } from 'node:fs';
import { memory, photo, processorTime, sample, start, uploadSize } from '../test/runtime.js';

const ROUNDS = 5;
const REQUESTS = 60; // of a row in a round

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

// Without assets and limits, which elsewhere are other machines' work.
const config = { compatibility_date: '2026-09-01', vars: { UPLOAD_SECONDS: 30 } };
const hello = await start({ config: { ...config, name: 'hello', main: 'bench/hello.js' } });
const worker = await start({ config: { ...config, name: 'gdram', main: 'src/worker.js' } });

async function post(to, address, type, body) {
  const response = await fetch(new URL(address, to.direct), { method: 'POST', body, headers: { 'Content-Type': type } });
  const text = await response.text();
  if (response.status !== 200) throw new Error(text);
  return text;
}

const rgba = new Uint8Array(128 * 128 * 4).fill(255).map((v, i) => (i % 4 === 3 ? 255 : (i * 7) % 251));
// Stopping when sure is about pictures of what the network knows: the page's samples in turn.
const samples = readdirSync(new URL('../../samples/cifar10', import.meta.url)).map((name) => sample(`cifar10/${name}`));
let turn = 0;
const rows = [
  ['JavaScript only: reads RGBA, says hello', hello, () => post(hello, '/', 'application/octet-stream', rgba)],
  ['GET /api/health', worker, async () => (await fetch(new URL('/api/health', worker.direct))).text()],
  ['RGBA 128x128, 8 glimpses', worker, () => post(worker, '/api/classify', 'application/octet-stream', rgba)],
  ['sample PNG 32x32, fast=1', worker, () => post(worker, '/api/classify?fast=1', 'image/png', samples[turn++ % samples.length])],
  ['JPEG 640x480, 8 glimpses', worker, () => post(worker, '/api/classify', 'image/jpeg', photo('photo.jpg'))],
  ['PNG 640x480, 8 glimpses', worker, () => post(worker, '/api/classify', 'image/png', photo('photo.png'))],
].map(([name, { pid }, ask]) => ({ name, pid, ask, times: [] }));

/**
 * Milliseconds of a start, during which our Worker opens its networks, and of the first request after it. Before that
 * request the code of WebAssembly's quick compiler is gone: the runtime throws it away in all isolates whenever it
 * makes another, as it does here for its own services, and elsewhere for other people's.
 *
 * @param {string} main
 */
async function coldStart(main) {
  const fresh = await start({ config: { ...config, name: 'fresh', main } });
  const before = processorTime(fresh.pid);
  await post(fresh, '/api/classify', 'application/octet-stream', rgba);
  const took = { start: before, first: processorTime(fresh.pid) - before };
  await fresh.harness.close();
  return took;
}

for (const { ask } of rows) for (let i = 0; i < REQUESTS; i++) await ask(); // until the compilers are done
for (let round = 0; round < ROUNDS; round++) {
  for (const row of rows) {
    const before = processorTime(row.pid);
    for (let i = 0; i < REQUESTS; i++) await row.ask();
    row.times.push((processorTime(row.pid) - before) / REQUESTS);
  }
}
const least = median(rows[0].times);
console.log('processor time a request'.padEnd(44), 'ms'.padStart(7), 'least'.padStart(7), 'most'.padStart(7), 'to JS only'.padStart(11));
for (const { name, times } of rows) {
  const ms = median(times);
  console.log(name.padEnd(44), ...[ms, Math.min(...times), Math.max(...times)].map((v) => v.toFixed(2).padStart(7)),
    `${(ms / least).toFixed(1)}x`.padStart(11));
}
const cold = { hello: [], ours: [] };
for (let i = 0; i < 3; i++) {
  cold.hello.push(await coldStart('bench/hello.js'));
  cold.ours.push(await coldStart('src/worker.js'));
}
for (const [what, phase] of [['a start', 'start'], ['first after it', 'first']]) {
  const [hello, ours] = [cold.hello, cold.ours].map((times) => median(times.map((one) => one[phase])));
  console.log(`${what}: JavaScript only`.padEnd(44), hello.toFixed(1).padStart(7));
  console.log(`${what}: ${phase === 'first' ? 'RGBA, 8 glimpses' : 'ours'}`.padEnd(44), ours.toFixed(1).padStart(7), ' '.repeat(15), `${(ours / hello).toFixed(1)}x`.padStart(11));
}

/** Megabytes at the highest, before any request and with 20 JPEGs at once. @param {string} main */
async function peaks(main) {
  const fresh = await start({ config: { ...config, name: 'fresh', main } });
  const idle = memory(fresh.pid).most;
  await Promise.all(Array.from({ length: 20 }, () => post(fresh, '/api/classify', 'image/jpeg', photo('photo.jpg'))));
  const most = memory(fresh.pid).most;
  await fresh.harness.close();
  return { idle, most };
}
const [bare, ours] = [await peaks('bench/hello.js'), await peaks('src/worker.js')];
console.log(`\nmemory at its highest, 20 JPEGs at once: ${ours.most.toFixed(0)} MB, ${(ours.most - bare.most).toFixed(0)} more than around JavaScript only; ` +
  `before any request ${ours.idle.toFixed(0)}, ${(ours.idle - bare.idle).toFixed(0)} more`);

console.log(`upload: ${(uploadSize() / 1e6).toFixed(1)} MB`);
for (const { harness } of [hello, worker]) await harness.close();

// The Worker as it is deployed, in the runtime that it is deployed to: every route, every kind of bad input,
// and much at once.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { blackPNG, turned } from '../../test/files.js';
import { deployed, linux, memory, photo, sample, start, top } from './runtime.js';

// An upload may take long, as the machine may be busy, but for those that are too slow on purpose.
const UPLOAD_SECONDS = 60;
const HURRIED = 2;
const PNG = 'image/png';
const JPEG = 'image/jpeg';
const RGBA = 'application/octet-stream';

/** @type {Awaited<ReturnType<typeof start>>} */
let worker;
let visitors = 0;

before(async () => {
  worker = await start({ ...deployed, vars: { UPLOAD_SECONDS } });
});
after(() => worker?.harness.close());

/** Every request comes from another address, so that nobody is asked to wait. */
function ask(address, { headers, ...options } = {}) {
  return fetch(new URL(address, worker.direct), {
    ...options, headers: { 'CF-Connecting-IP': `visitor ${++visitors}`, ...headers },
  });
}

const send = (body, type, query = '', options = {}) =>
  ask(`/api/classify${query}`, { method: 'POST', body, headers: type ? { 'Content-Type': type } : {}, ...options });

async function classify(body, type, query) {
  const response = await send(body, type, query);
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

/** Holds a response to be a refusal as the API describes them, and returns its sentence. */
async function refused(response, status, why) {
  const text = await response.text();
  assert.equal(response.status, status, `${why}: ${text}`);
  assert.equal(response.headers.get('content-type'), 'application/json', why);
  assert.equal(response.headers.get('access-control-allow-origin'), '*', why);
  assert.equal(response.headers.get('access-control-expose-headers'), 'Retry-After', why);
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff', why);
  const said = JSON.parse(text);
  assert.deepEqual(Object.keys(said), ['error'], why);
  assert.match(said.error, /^[A-Z/].*\.$/, why);
  return said.error;
}

const gray = new Uint8Array(128 * 128 * 4).fill(160);
for (let i = 3; i < gray.length; i += 4) gray[i] = 255;

test('every route answers', async () => {
  const health = await (await ask('/api/health')).json();
  assert.deepEqual(health, { status: 'ok', kernels: 'relaxed SIMD' });
  const { default: standard, models } = await (await ask('/api/models')).json();
  const names = models.map((model) => model.name);
  assert.ok(names.includes(standard));
  const description = await (await ask('/api/openapi.json')).json();
  assert.equal(description.openapi, '3.0.3');
  for (const { name, labels, sha256 } of models) {
    const answer = await classify(gray, RGBA, `?model=${name}&top=3`);
    assert.equal(answer.model, name);
    assert.equal(answer.sha256, sha256);
    assert.equal(answer.top.length, 3);
    assert.ok(labels.includes(answer.label));
    assert.equal(answer.glimpses.length, answer.glimpses_used);
  }
  const mean = await classify(gray, RGBA, '?samples=2');
  assert.equal(mean.glimpses_used, 8);
});

test('the answer is the one of the same program run natively', async () => {
  const native = spawn('go', ['run', './wasm/worker'], {
    cwd: top, env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'], detached: true,
  });
  try {
    const [line] = await Promise.race([once(native.stdout, 'data'), once(native, 'exit').then(([code]) => assert.fail(`the native program ended with ${code}`))]);
    const [address] = /http:\/\/127\.0\.0\.1:\d+/.exec(String(line));
    // JPEG's decoder rounds otherwise. Along one path the policy makes more of that with every look; a mean of paths does not.
    for (const [name, body, type, tolerance, query = ''] of [
      ['RGBA', gray, RGBA, 0.01],
      ['PNG', photo('photo.png'), PNG, 0.01],
      ['PNG, stopping when sure', photo('photo.png'), PNG, 0.01, '?model=mnist&fast=1'],
      ['sample', sample('cifar10/horse-13.png'), PNG, 0.01],
      ['JPEG', photo('photo.jpg'), JPEG, 0.05, '?samples=8'],
      ['JPEG, turned', turned(photo('photo.jpg')), JPEG, 0.05, '?samples=8'],
    ]) {
      const headers = { 'Content-Type': type };
      const want = await (await fetch(`${address}/api/classify${query}`, { method: 'POST', body, headers })).json();
      const got = await classify(body, type, query);
      assert.equal(got.label, want.label, name);
      assert.equal(got.sha256, want.sha256, name);
      assert.equal(got.glimpses_used, want.glimpses_used, name);
      assert.ok(Math.abs(got.probability - want.probability) < tolerance, `${name}: ${got.probability}, natively ${want.probability}`);
      assert.ok(Math.abs(got.glimpses[0].x - want.glimpses[0].x) < tolerance, name);
    }
    const upright = await classify(photo('photo.jpg'), JPEG);
    const sideways = await classify(turned(photo('photo.jpg')), JPEG);
    assert.notDeepEqual(upright.glimpses, sideways.glimpses, 'EXIF turns it');
  } finally {
    if (native.exitCode === null) process.kill(-native.pid);
  }
});

test('bad input costs a status and a sentence, and the answers stay the same', async () => {
  const good = photo('photo.jpg');
  const before = await classify(good, JPEG);
  const progressive = Buffer.from(photo('large.jpg'));
  progressive[progressive.indexOf(Buffer.from([0xff, 0xc0])) + 1] = 0xc2;
  // Decoders step over what does not belong between a JPEG's segments, and so must whoever judges it.
  const frame = progressive.indexOf(Buffer.from([0xff, 0xc2]));
  const hidden = Buffer.concat([progressive.subarray(0, frame), Buffer.from([0]), progressive.subarray(frame)]);
  const tooLarge = new Uint8Array((8 << 20) + 1);
  const inPieces = () => new ReadableStream({
    start(controller) {
      for (let i = 0; i < 9; i++) controller.enqueue(new Uint8Array(1 << 20));
      controller.close();
    },
  });
  for (const [why, request, status, says] of [
    ['unknown address', () => ask('/api/nothing'), 404, /openapi/],
    ['no file of the page', () => ask('/web/dist/nothing.js'), 404, /openapi/],
    ['wrong method', () => ask('/api/classify'), 405, /POST/],
    ['wrong method', () => ask('/api/models', { method: 'DELETE' }), 405, /GET/],
    ['wrong method with a body', () => ask('/api/health', { method: 'POST', body: gray }), 405, /GET/],
    ['no type', () => send(good, ''), 415, /image\/png/],
    ['wrong type', () => send(good, 'image/gif'), 415, /image\/png/],
    ['empty', () => send('', JPEG), 400, /empty/],
    ['no body', () => send(undefined, PNG), 400, /empty/],
    ['wrong length', () => send(gray.subarray(4), RGBA), 422, /65536 bytes/],
    ['no picture', () => send('hello', JPEG), 422, /not a picture/],
    ['truncated JPEG', () => send(good.subarray(0, good.length / 2), JPEG), 422, /copy it again/],
    ['truncated in its head', () => send(good.subarray(0, 100), JPEG), 422, /ends in the middle/],
    ['truncated PNG', () => send(photo('photo.png').subarray(0, 20_000), PNG), 422, /copy it again/],
    ['damaged JPEG', () => send(damaged(good), JPEG), 422, /damaged/],
    ['JPEG without its tables', () => send(bare(good), JPEG), 422, /damaged/],
    ['over 8 MiB', () => send(tooLarge, PNG), 413, /8 MiB/],
    ['over 8 MiB, in pieces', () => send(inPieces(), PNG, '', { duplex: 'half' }), 413, /8 MiB/],
    ['over 3 million pixels', () => send(photo('large.jpg'), JPEG), 422, /4000x3000 pixels, more than 3 million/],
    ['progressive, 12 million', () => send(progressive, JPEG), 422, /progressive JPEG, more than 1.5 million/],
    ['the same, hidden behind a stray byte', () => send(hidden, JPEG), 422, /progressive JPEG, more than 1.5 million/],
    ['unfolds to 1.6 GB', () => send(blackPNG(20_000, 20_000), PNG), 422, /more than 3 million/],
    ['unknown model', () => send(gray, RGBA, '?model=letters'), 400, /cifar10/],
    ['unknown wish', () => send(gray, RGBA, '?size=large'), 400, /nothing else/],
    ['no number', () => send(gray, RGBA, '?top=many'), 400, /1 to 1000/],
    ['unreadable query', () => send(gray, RGBA, '?top=%zz'), 400, /query/],
    ['unreadable address', () => ask('/api/%zz'), 404, /openapi/],
  ]) {
    assert.match(await refused(await request(), status, why), says, why);
  }
  assert.deepEqual(await classify(good, JPEG), before);
});

/** Nonsense in the middle of the pixels, which begin after the head. */
function damaged(jpeg) {
  const b = Buffer.from(jpeg);
  b.fill(0xff, b.length / 2, b.length / 2 + 64);
  return b;
}

/** Without Huffman tables, in whose place some decoders know the standard ones. */
function bare(jpeg) {
  const at = jpeg.indexOf(Buffer.from([0xff, 0xc4]));
  return Buffer.concat([jpeg.subarray(0, at), jpeg.subarray(at + 2 + jpeg.readUInt16BE(at + 2))]);
}

/** The head of the answer to a request, for which nobody waits for ever. @param {http.ClientRequest} request */
const answerTo = async (request) => (await once(request, 'response', { signal: AbortSignal.timeout(3 * 60_000) }))[0];

/** Sends the head of a request and a part of its body, or all of it; without a length nobody knows how much is to come. */
function begin(part, length, to = worker) {
  const request = http.request(new URL('/api/classify', to.direct), {
    method: 'POST', headers: { 'Content-Type': JPEG, ...(length && { 'Content-Length': length }), 'CF-Connecting-IP': `visitor ${++visitors}` },
  });
  request.on('error', () => {}); // whoever waits for the answer is told, and the others are destroyed
  request.write(part);
  return request;
}

test('a slow upload is not waited for', async () => {
  const hurried = await start({ ...deployed, vars: { UPLOAD_SECONDS: HURRIED } });
  try {
    const slow = begin(new Uint8Array(1000), 2000, hurried);
    const response = await answerTo(slow);
    assert.equal(response.statusCode, 408);
    let text = '';
    for await (const chunk of response) text += chunk;
    assert.match(JSON.parse(text).error, new RegExp(`^The picture took longer than ${HURRIED} seconds`));
    slow.destroy();
  } finally {
    await hurried.harness.close();
  }
});

test('an aborted upload does no harm', async () => {
  const good = photo('photo.jpg');
  for (let i = 0; i < 5; i++) {
    const aborted = begin(good.subarray(0, 1000), good.length);
    await new Promise((resolve) => setTimeout(resolve, 50));
    aborted.destroy();
  }
  await classify(good, JPEG);
});

test('many large uploads at once are asked to wait', async () => {
  const MiB = 1 << 20;
  const held = [];
  const hold = () => held.push(begin(new Uint8Array(7 * MiB), 8 * MiB));
  /** Sends a whole one, and returns the head of the answer. */
  const send = async () => {
    const whole = begin(new Uint8Array(8 * MiB), 8 * MiB).end();
    const response = await answerTo(whole).catch((error) => error); // who is refused may be hung up on
    whole.destroy();
    return response;
  };
  // Three that never end leave no room for a whole one, once they are there. One that comes later than that is itself refused, so it
  // may take more than three, but not many.
  hold();
  hold();
  try {
    for (let answer; answer?.statusCode !== 429;) {
      assert.ok(held.length < 8, `beside ${held.length} large uploads, another got ${answer?.statusCode ?? answer}`);
      hold();
      await new Promise((resolve) => setTimeout(resolve, 500));
      answer = await send();
      if (answer.statusCode === 429) assert.equal(answer.headers['retry-after'], '1');
    }
  } finally {
    for (const upload of held) upload.destroy();
  }
  // What was given up makes room.
  for (const last = Date.now() + 3 * 60_000; (await send()).statusCode !== 422;) assert.ok(Date.now() < last, 'there is room again');
  await classify(photo('photo.jpg'), JPEG);
});

test('other sites may ask', async () => {
  const response = await ask('/api/classify', {
    method: 'OPTIONS', headers: { Origin: 'https://example.com', 'Access-Control-Request-Method': 'POST' },
  });
  assert.equal(response.status, 204);
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  assert.match(response.headers.get('access-control-allow-methods'), /POST/);
  assert.match(response.headers.get('access-control-allow-headers'), /Content-Type/i);
  const head = await ask('/api/health', { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), '');
});

test('a body that nobody wants is heard out, whatever its size, and not kept', async () => {
  const body = new Uint8Array(9 << 20);
  for (const [method, address, status] of [['PUT', '/api/classify', 405], ['DELETE', '/api/models', 405], ['POST', '/api/health', 405], ['POST', '/api/nothing', 404]]) {
    await refused(await ask(address, { method, body }), status, `${method} ${address}`);
  }
});

test('what is read on for nothing keeps no room from others', async () => {
  const uploads = Array.from({ length: 3 }, () => begin(new Uint8Array(20 << 20)));
  const answers = uploads.map(answerTo);
  await Promise.all(uploads.map((upload) => once(upload, 'drain'))); // all but what the system's buffers hold, so more than 8 MiB of each was read
  await classify(photo('photo.jpg'), JPEG);
  for (const answer of answers) assert.equal((await answer).statusCode, 413);
  for (const upload of uploads) upload.destroy();
});

test('one address may send so many pictures a minute', async () => {
  const headers = { 'CF-Connecting-IP': '192.0.2.1', 'Content-Type': RGBA };
  let taken = 0;
  let last;
  do { // a minute may end on the way, and another begin
    last = await ask('/api/classify?top=0', { method: 'POST', body: 'x', headers });
    if (last.status === 400) await last.text();
  } while (last.status === 400 && taken++ < 240);
  assert.ok(taken >= 120, `${taken} were taken`);
  assert.equal(last.headers.get('retry-after'), '60');
  assert.match(await refused(last, 429, 'too many'), /wait a minute/);
  assert.equal((await ask('/api/health', { headers })).status, 200, 'the rest is not counted');
  await classify(gray, RGBA);
});

/** The addresses that a service worker keeps when it is installed. @param {string} script */
async function keptBy(script) {
  const kept = [];
  let install;
  const at = (file) => new URL(file, worker.direct).href;
  runInNewContext(script, {
    URL, location: { href: at('sw.js') },
    Request: class { constructor(file) { this.url = at(file); } },
    caches: { open: async () => ({ addAll: async (requests) => kept.push(...requests.map(({ url }) => url)) }) },
    addEventListener: (kind, handler) => { if (kind === 'install') install = handler; },
  });
  await new Promise((resolve) => install({ waitUntil: resolve }));
  return kept;
}

test('the page is served beside it, typed, guarded and kept by its content', async () => {
  const page = await ask('/');
  assert.equal(page.status, 200);
  assert.match(page.headers.get('content-type'), /^text\/html/);
  const policy = page.headers.get('content-security-policy');
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
  assert.match(page.headers.get('cache-control'), /max-age=0, must-revalidate/, 'the page is asked for again');
  const html = await page.text();
  const files = [...html.matchAll(/(?:src|href)="(web\/[0-9a-f]{16}\/[^"]+)"/g)].map(([, file]) => file);
  assert.ok(files.length >= 2);
  const keeper = await ask('/sw.js');
  assert.equal(keeper.status, 200, 'browsers can install it');
  assert.match(keeper.headers.get('cache-control'), /max-age=0, must-revalidate/);
  assert.equal(keeper.headers.get('content-security-policy'), "default-src 'none'; connect-src 'self'", 'it may fetch what it keeps');
  const kept = await keptBy(await keeper.text());
  for (const address of kept) {
    const response = await ask(address, { redirect: 'manual' });
    assert.equal(response.status, 200, `${address}: browsers show no page that was sent on`);
    await response.text();
  }
  const listed = kept.flatMap((address) => /web\/[0-9a-f]{16}\/.+/.exec(address) ?? []);
  assert.ok(listed.length > files.length);
  for (const file of new Set([...files, ...listed])) {
    const response = await ask(`/${file}`);
    assert.equal(response.status, 200, file);
    assert.match(response.headers.get('content-type'), file.endsWith('.js') ? /^text\/javascript/ : /^text\/css/);
    const tag = response.headers.get('etag');
    assert.ok(tag, file);
    assert.equal(response.headers.get('cache-control'), 'public, max-age=31536000, immutable', file);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff', file);
    await response.text();
    const again = await ask(`/${file}`, { headers: { 'If-None-Match': tag } });
    assert.equal(again.status, 304, `${file} did not change`);
  }
});

test('the examples of the README work', async () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const examples = readme.split('\n').filter((line) => line.startsWith('curl '));
  assert.ok(examples.length >= 3);
  for (const example of examples) {
    const [command] = example.split(' # ');
    const answer = execFileSync('bash', ['-c', command.replace(/^curl /, 'curl -sf ')],
      { cwd: top, env: { ...process.env, GDRAM: worker.direct.origin }, encoding: 'utf8' });
    assert.ok(JSON.parse(answer), command);
  }
});

test('twenty clients at once get what one gets', async () => {
  const pictures = ['horse-13', 'frog-29', 'dog-16', 'bird-75'].map((name) => sample(`cifar10/${name}.png`));
  const alone = [];
  for (const picture of pictures) alone.push(await classify(picture, PNG));
  const started = linux ? memory(worker.pid).now : 0;
  await Promise.all(Array.from({ length: 20 }, async (_, client) => {
    for (let i = 0; i < 5; i++) {
      const which = (client + i) % pictures.length;
      assert.deepEqual(await classify(pictures[which], PNG), alone[which]);
    }
  }));
  await Promise.all(Array.from({ length: 20 }, () => classify(photo('photo.jpg'), JPEG)));
  if (linux) assert.ok(memory(worker.pid).most < started + 128, 'megabytes of the process');
});

test('it has complained of nothing', () => {
  assert.deepEqual(worker.harness.getLogs().filter(({ level }) => level === 'error' || level === 'warn'), []);
});

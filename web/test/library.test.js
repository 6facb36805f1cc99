// The engine as a library: packed, installed elsewhere from the tarball, type-checked, and used as its README says.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PATIENCE, builds, folder, near, pages, predicted, sampleFile, samplesOf, top } from './browser.js';
import { serve } from './server.js';

const onPage = pages();
const project = folder();
const sample = samplesOf('cifar10')[2];
let server;

before(async () => {
  const { packed } = builds();
  const npm = (where, ...args) => execFileSync('npm', [...args, '--silent', '--offline', '--no-audit', '--no-fund'], { cwd: where, encoding: 'utf8' });
  const tarball = npm(packed, 'pack', '--pack-destination', project).trim();
  writeFileSync(path.join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  npm(project, 'install', `./${tarball}`);
  cpSync(path.join(top, sampleFile('cifar10', sample)), path.join(project, 'picture.png'));
  const [, example] = readFileSync(path.join(project, 'node_modules/gdram/README.md'), 'utf8').match(/```html\n(.*?)```/s);
  assert.ok(example.match(/<script type="module">(.*)<\/script>/s)[1].trim().split('\n').length <= 10);
  writeFileSync(path.join(project, 'example.html'), example);
  writeFileSync(path.join(project, 'classic.html'), '<!doctype html><title>Classic</title><script src="node_modules/gdram/gdram.classic.js"></script>');
  writeFileSync(path.join(project, 'empty.html'), '<!doctype html><title>Empty</title>');
  server = await serve(project, { fallback: '<!doctype html><title>The one page of an app</title>' });
});
after(() => server?.close());

/** Opens a page of the project. */
const at = (name, f, options) => async () => {
  await onPage(f, { address: server.address + name, offline: false, ...options })();
};

test('the package holds what it names, and nothing else', () => {
  const files = readdirSync(path.join(project, 'node_modules/gdram')).toSorted();
  assert.deepEqual(files.filter((name) => !name.endsWith('.safetensors')), ['LICENSE', 'README.md', 'gdram.classic.js', 'gdram.d.ts', 'gdram.js', 'gdram.wasm', 'package.json']);
  assert.ok(files.includes('cifar10.safetensors'));
});

test('another project type-checks against it', () => {
  writeFileSync(path.join(project, 'use.ts'), `
import { classify, initialize, type Network, type Result } from 'gdram';
const network: Network = await initialize({ weights: new URL('gdram/mnist.safetensors', import.meta.url), wasm: fetch('gdram.wasm') });
const result: Result = await classify(document.querySelector('canvas')!, { lead: 0.9, pins: [{ look: 1, x: 0, y: 0.5 }] });
export const text: string = network.labels[0] + result.top[0].label + result.glimpses[0].sigma_x.toFixed(2);
await classify(new Blob(), { samples: 4, seed: 1, top: 3 });
// @ts-expect-error not a picture
await classify(5);
// @ts-expect-error no such option
await classify(new Blob(), { glimpse: 3 });
// @ts-expect-error labels are texts
export const wrong: number = result.label;
`);
  writeFileSync(path.join(project, 'classic.ts'), 'const done: Promise<gdram.Result> = gdram.initialize().then(() => gdram.classify(new Blob()));\ndone.then(({ label }) => label.length);\n');
  const tsc = path.join(top, 'web/node_modules/.bin/tsc');
  const check = (file, ...flags) => {
    const { status, stdout } = spawnSync(tsc, ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom', '--types', '', ...flags, file], { cwd: project, encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  };
  for (const resolution of ['bundler', 'nodenext']) {
    check('use.ts', '--module', resolution === 'bundler' ? 'esnext' : 'nodenext', '--moduleResolution', resolution);
  }
  writeFileSync(path.join(project, 'globals.d.ts'), '/// <reference types="./node_modules/gdram/gdram.d.ts" />\n');
  check('classic.ts', '--module', 'esnext', '--moduleResolution', 'bundler', 'globals.d.ts');
});

test('the example of its README runs', at('example.html', async (page) => {
  await page.waitForFunction(() => document.querySelector('#says').textContent !== 'Looking…');
  const [command] = predicted('cifar10', [sampleFile('cifar10', sample)]);
  assert.equal(await page.textContent('#says'), `${command.label}, ${Math.round(100 * command.probability)} %, after 8 glimpses`);
}));

describe('a classic script', () => {
  test('says the same of everything that holds a picture', at('classic.html', async (page) => {
    const results = await page.evaluate(async () => {
      const network = await gdram.initialize();
      const blob = await (await fetch('picture.png')).blob();
      const image = new Image();
      image.src = 'picture.png';
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width: 32, height: 32 });
      canvas.getContext('2d').drawImage(image, 0, 0);
      const data = canvas.getContext('2d').getImageData(0, 0, 32, 32);
      const bitmap = await createImageBitmap(blob);
      const all = await Promise.all([blob, image, canvas, data, bitmap, { data: data.data, width: 32, height: 32 }].map((picture) => gdram.classify(picture)));
      return { network, all, still: bitmap.width };
    });
    const [command] = predicted('cifar10', [sampleFile('cifar10', sample)]);
    assert.equal(results.network.labels.length, 10);
    assert.equal(results.network.dataset, 'cifar10');
    assert.equal(results.network.engine, 'relaxed SIMD');
    assert.equal(results.still, 32, 'a bitmap stays the caller\'s');
    for (const { milliseconds, ...result } of results.all) {
      const { milliseconds: _, ...first } = results.all[0];
      assert.deepEqual(result, first);
      assert.ok(milliseconds.prepare >= 0 && milliseconds.look > 0);
    }
    const [first] = results.all;
    assert.deepEqual(Object.keys(first).slice(0, 4), Object.keys(command).slice(1));
    assert.equal(first.label, command.label);
    command.top.forEach(({ label, probability }, i) => {
      assert.equal(first.top[i].label, label);
      near(first.top[i].probability, probability, 0.001, label);
    });
    near(first.glimpses[0].x, command.glimpses[0].x, 1e-6, 'x');
  }));

  test('an engine that breaks ends what else was asked of it, and is started anew', at('classic.html', async (page) => {
    const [first, second, third] = await page.evaluate(async () => {
      await gdram.initialize({ weights: 'node_modules/gdram/mnist.safetensors' });
      const blob = await (await fetch('picture.png')).blob();
      const post = Worker.prototype.postMessage;
      let calls = 0;
      let first;
      Worker.prototype.postMessage = function (message, ...rest) { // of two calls the first breaks it once both were asked, and the second is never answered
        if (message.call !== 'classify' || ++calls > 2) post.call(this, message, ...rest);
        else if (calls === 1) first = { worker: this, id: message.id };
        else first.worker.onmessage({ data: { id: first.id, failure: 'RangeError: broken' } });
      };
      const both = await Promise.allSettled([gdram.classify(blob), gdram.classify(blob)]);
      return [...both.map(({ reason }) => reason?.message), (await gdram.classify(blob)).label];
    });
    assert.match(first, /^The engine failed and was started anew/);
    assert.match(second, /^The engine failed and was started anew/);
    assert.equal(typeof third, 'string');
    assert.match(page.trouble.splice(0).join(), /RangeError/);
  }));

  test('looks as its options say', at('classic.html', async (page) => {
    const results = await page.evaluate(async () => {
      await gdram.initialize({ weights: 'node_modules/gdram/mnist.safetensors' });
      const blob = await (await fetch('picture.png')).blob();
      const look = (options) => gdram.classify(blob, options);
      return Promise.all([{ glimpses: 3 }, { lead: 0.01 }, { fast: true }, { pins: [{ look: 2, x: 0.5, y: -0.5 }] }, { samples: 3, seed: 5 }, { samples: 3, seed: 5 }, { samples: 3, seed: 6 }, { top: 2 }].map(look));
    });
    const [three, sure, fast, pinned, five, again, six, two] = results.map(({ milliseconds, ...result }) => result);
    assert.equal(three.glimpses.length, 3);
    assert.equal(sure.glimpses.length, 1);
    const [command] = predicted('mnist', [sampleFile('cifar10', sample)], '--fast');
    assert.equal(fast.glimpses.length, command.glimpses.length, 'as its weights say');
    assert.deepEqual([pinned.glimpses[1].x, pinned.glimpses[1].y, pinned.glimpses[1].weight], [0.5, -0.5, 1]);
    assert.deepEqual(again, five);
    assert.notDeepEqual(six, five);
    assert.equal(two.top.length, 2);
  }));

  const mistakes = [
    ['classify before initialize', () => gdram.classify(new Blob()), /^There is no network yet; call initialize\(\) and wait/],
    ['initialize twice', () => gdram.initialize().then(() => gdram.initialize()), /^initialize\(\) was called before; call it once/],
    ['no such weights', () => gdram.initialize({ weights: 'https://127.0.0.1:1/none.safetensors' }), /^The weights at https:.* cannot be fetched; see whether the address is right/],
    ['a page for an engine', () => gdram.initialize({ wasm: 'nothing/here.wasm' }), /^The engine at nothing\/here.wasm is not WebAssembly; see whether its address is right\.$/],
    ['a page for weights', () => gdram.initialize({ weights: 'nothing/here.safetensors' }), /^The weights “network” cannot be used: this is not a safetensors file/],
    ['no picture', () => gdram.initialize().then(() => gdram.classify('cat.jpg')), /^What classify\(\) was given is no picture; pass a Blob, an image/],
    ['a damaged picture', () => gdram.initialize().then(() => gdram.classify(new Blob(['no picture']))), /^The picture cannot be read, or is damaged; pass a PNG/],
    ['an empty canvas', () => gdram.initialize().then(() => gdram.classify(Object.assign(document.createElement('canvas'), { width: 0 }))), /^The picture is 0 × 150 pixels; wait until it is loaded\.$/],
    ['data that do not fit', () => gdram.initialize().then(() => gdram.classify({ data: new Uint8Array(5), width: 2, height: 2 })), /^The picture has 5 bytes, which is not 4 for each of its 2x2 pixels/],
    ['an option out of range', () => gdram.initialize().then(() => gdram.classify(new Blob(), { glimpses: 9 })), /^The option glimpses is 9; want a whole number from 1 to 8\.$/],
    ['no options', () => gdram.initialize().then(() => gdram.classify(new Blob(), null)), /^The options are null; want an object, as in/],
    ['pins that are no list', () => gdram.initialize().then(() => gdram.classify(new Blob(), { pins: { look: 1, x: 0, y: 0 } })), /^The option pins is no array of looks; want one as in/],
    ['a pin that is none', () => gdram.initialize().then(() => gdram.classify(new Blob(), { pins: [null] })), /^The option pins is no array of looks; want one as in/],
    ['a pin of no look', () => gdram.initialize().then(() => gdram.classify(new Blob(), { pins: [{ x: 0, y: 0 }] })), /^The option pins: look is NaN; want a whole number from 1 to 8\.$/],
    ['a file that was read before', () => fetch('picture.png').then((read) => read.text().then(() => gdram.initialize({ weights: read }))), /^The weights cannot be read to the end, or for a second time; try again, with a new Response\.$/],
  ];
  test('says what is wrong', at('classic.html', async (page) => {
    for (const [name, call, sentence] of mistakes) {
      await page.reload();
      assert.match(await page.evaluate(`(${call})().then(() => 'no error', (error) => error.message)`), sentence, name);
    }
    page.trouble.splice(0); // the browser tells of failed requests, too
  }));

  test('says it once where there are no workers, too', at('classic.html', async (page) => {
    const [said, unheard] = await page.evaluate(async () => {
      const message = await gdram.initialize({ wasm: new Uint8Array(10) }).then(() => 'no error', (error) => error.message);
      // The browser tells of errors that nobody heard in their order, so of this one last.
      const reasons = [];
      const last = new Promise((resolve) => addEventListener('unhandledrejection', (event) => {
        event.preventDefault();
        if (event.reason === 'last') resolve();
        else reasons.push(String(event.reason));
      }));
      Promise.reject('last');
      await last;
      return [message, reasons];
    });
    assert.match(said, /^The engine is not WebAssembly/);
    assert.deepEqual(unheard, []);
  }, { before: () => { delete window.Worker; } }));

  test('may be tried again after a failure', at('classic.html', async (page) => {
    const label = await page.evaluate(async () => {
      for (const weights of [new Uint8Array(10), 42, 'none.safetensors']) await gdram.initialize({ weights }).catch(() => {});
      const bytes = await (await fetch('node_modules/gdram/cifar10.safetensors')).arrayBuffer();
      const program = await WebAssembly.compileStreaming(fetch('node_modules/gdram/gdram.wasm'));
      await gdram.initialize({ weights: bytes, wasm: program });
      return (await gdram.classify(await (await fetch('picture.png')).blob())).label;
    });
    assert.equal(label, sample[0]);
    for (const last = Date.now() + PATIENCE; page.workers().length !== 1;) { // those of the failures have ended
      assert.ok(Date.now() < last, `${page.workers().length} workers`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }));
});

test('2,000 more classifications take no more memory than the first 1,000', at('classic.html', async (page) => {
  const client = await page.context().newCDPSession(page);
  await client.send('HeapProfiler.enable');
  const heap = async () => {
    await client.send('HeapProfiler.collectGarbage');
    return (await client.send('Runtime.getHeapUsage')).usedSize;
  };
  await page.evaluate(async () => {
    await gdram.initialize();
    const seeds = new Uint8ClampedArray(4 * 64 * 64).map((_, i) => (i * 2654435761) >>> 24);
    window.run = async (count) => {
      for (let i = 0; i < count; i++) {
        seeds[4 * (i % 4096)] ^= 255; // every picture is another
        await gdram.classify({ data: seeds, width: 64, height: 64 }, i % 10 === 0 ? { samples: 2, seed: i } : { glimpses: 1 + i % 3 });
      }
      return window.memory.buffer.byteLength;
    };
  });
  const wasm = await page.evaluate(() => window.run(1000));
  const used = await heap();
  const wasmAfter = await page.evaluate(() => window.run(2000));
  const usedAfter = await heap();
  console.log(`# WebAssembly ${wasm} and ${wasmAfter} bytes, the page's own ${used} and ${usedAfter}`);
  assert.ok(wasmAfter < wasm + 1e6, 'Go collects at 64 MiB, which the first come to; a kilobyte a picture would show');
  assert.ok(usedAfter < used + 1e6, `${used} bytes, then ${usedAfter}`);
}, {
  before: () => {
    delete window.Worker; // in the page, where its memory can be seen
    const { instantiate } = WebAssembly;
    WebAssembly.instantiate = async (module, imports) => {
      const instance = await instantiate(module, imports);
      if (imports.gdram) window.memory = instance.exports.mem;
      return instance;
    };
  },
}));

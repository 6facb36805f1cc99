// The race in the browser: our engine against onnxruntime-web and TensorFlow.js, in one page of Chromium.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { launch } from '../test/browser.js';
import { picturesOf, top, versionOf } from './ours.js';
import { sameAnswers, takeTurns } from './rounds.js';
import { serve } from './server.js';
import { faster, kilobytes, spread, table } from './table.js';

export const title = 'In the page';

const length = { rounds: 40, times: 6, warmUp: 60 }; // Chromium compiles anew what has run for a while
const navigations = 9;

const ours = ['ours, SIMD', 'ours, relaxed SIMD', 'ours, scalar'];
const theirs = ['onnxruntime-web', 'tfjs-backend-wasm'];

export async function run(build) {
  const weights = build.weightsOf('cifar10');
  const model = build.exported(weights);
  const pictures = Buffer.from(JSON.stringify(picturesOf(build.samples('cifar10'))));
  const server = await serve({
    '/model.onnx': () => readFileSync(model), '/weights.safetensors': () => readFileSync(weights), '/pictures.json': () => pictures,
  });
  const browser = await launch();
  try {
    const versions = { Chromium: browser.version(), ...Object.fromEntries(
      ['onnxruntime-web', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'].map((name) => [name, versionOf(name)])) };
    const race = await latency(browser, server);
    const first = await navigation(browser, server);
    return { versions, text: [latencyText(race), navigationText(first), await sizesText(browser, server)].join('\n\n') };
  } finally {
    await browser.close();
    server.close();
  }
}

/** Opens a page in a browser context of its own: nothing is cached. */
async function fresh(browser, address, visit, before) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const failed = new Promise((_, reject) => page.on('pageerror', reject));
    if (before) await page.addInitScript(before);
    await page.goto(address);
    return await Promise.race([visit(page), failed]);
  } finally {
    await context.close();
  }
}

const raceAddress = (server, first) => `${server.address}/web/bench/page/race.html${first ? `?first=${encodeURIComponent(first)}` : ''}`;

async function latency(browser, server) {
  const { logits, took } = await fresh(browser, raceAddress(server), async (page) => {
    await page.waitForFunction(() => globalThis.ready);
    return page.evaluate((args) => globalThis.race(args), length);
  });
  return { took, same: sameAnswers(logits, ours, theirs) };
}

function latencyText({ took, same }) {
  const rows = [...ours, ...theirs].map((name) => [name, spread(took[name]), ...theirs.map((other) => faster(took[name], took[other]))]);
  return `One picture, eight looks, one thread, milliseconds. All engines live in one page and take turns, ${length.rounds} rounds of ${length.times} pictures.
Each gets the same pictures and is timed until the logits are out; ${same}.
TensorFlow.js runs the network written in its own operators, all of them on its WebAssembly backend: the sensor is \`tf.image.transform\`.

${table(['', 'ms', ...theirs.map((name) => `times faster than ${name}`)], rows)}`;
}

/** From navigation to the first answer, milliseconds since the page's time origin. */
async function navigation(browser, server) {
  const visit = (page) => page.waitForFunction(() => globalThis.firstResult, null, { timeout: 60000 }).then((handle) => handle.jsonValue());
  const minimal = (name) => () => fresh(browser, raceAddress(server, name), visit);
  // In index.html the first answer is there when the stage says what the network saw.
  const watch = () => {
    const seen = () => {
      const picture = document.getElementById('picture');
      if (!globalThis.firstResult && picture?.getAttribute('aria-label').includes('as the network sees it') &&
          !document.getElementById('stage').hasAttribute('aria-busy')) globalThis.firstResult = performance.now();
    };
    new MutationObserver(seen).observe(document, { subtree: true, childList: true, attributes: true });
  };
  const index = pathToFileURL(path.join(top, 'index.html')).href;
  return takeTurns({
    'ours, index.html from file://': () => fresh(browser, index, visit, watch),
    'ours, smallest page over http': minimal('ours, relaxed SIMD'),
    'onnxruntime-web, smallest page over http': minimal('onnxruntime-web'),
    'tfjs-backend-wasm, smallest page over http': minimal('tfjs-backend-wasm'),
  }, navigations);
}

function navigationText(took) {
  const other = 'onnxruntime-web, smallest page over http';
  return `From navigation to the first answer, milliseconds, nothing cached, over 127.0.0.1 where a server is needed, ${navigations} rounds:

${table(['', 'ms', 'times sooner than onnxruntime-web'], Object.entries(took).map(([name, all]) => [name, spread(all, 0), faster(all, took[other])]))}`;
}

/** What the smallest page of each engine loads, but the page itself, the pictures and the weights. */
async function sizesText(browser, server) {
  const rows = [];
  for (const name of ['ours, relaxed SIMD', ...theirs]) {
    server.loaded();
    await fresh(browser, raceAddress(server, name), (page) => page.waitForFunction(() => globalThis.firstResult));
    const engine = server.loaded().filter(({ address }) => !/\/page\/|\/rounds\.js$|pictures|weights|model\.onnx|favicon/.test(address));
    const sum = (size) => engine.reduce((all, file) => all + file[size], 0);
    rows.push([name.replace(', relaxed SIMD', ''), kilobytes(sum('raw')), kilobytes(sum('gzip')), engine.map(({ address }) => path.basename(address)).join(', ')]);
  }
  return `What each engine weighs, without weights: all that its smallest page loads.

${table(['', 'bytes', 'gzip -9', 'files'], rows)}`;
}

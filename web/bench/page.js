// The race in the browser: our engine against onnxruntime-web and TensorFlow.js, in one page of Chromium.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { launch } from '../test/browser.js';
import { expectation, hold, rule } from './agree.js';
import { pictureBytes, top, versionOf } from './ours.js';
import { takeTurns } from './rounds.js';
import { serve } from './server.js';
import { faster, kilobytes, spread, table } from './table.js';

export const title = 'In the page';

const length = { rounds: 40, times: 6, warmUp: 60 }; // Chromium compiles anew what has run for a while
const navigations = 9;
const tolerance = 1e-3; // between logits; see agree.js

const ours = ['ours, SIMD', 'ours, relaxed SIMD', 'ours, scalar'];
const theirs = ['onnxruntime-web', 'tfjs-backend-wasm'];

export async function run(build) {
  const weights = build.weightsOf('cifar10');
  const model = build.exported(weights);
  const file = build.samples('cifar10');
  const pictures = pictureBytes(file);
  const server = await serve({
    '/model.onnx': () => readFileSync(model), '/weights.safetensors': () => readFileSync(weights), '/pictures': () => pictures,
  });
  const browser = await launch();
  try {
    const versions = { Chromium: browser.version(), ...Object.fromEntries(
      ['onnxruntime-web', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'].map((name) => [name, versionOf(name)])) };
    const { logits, took } = await latency(browser, server);
    const { want, allowed } = expectation(build, weights, file);
    for (const name of Object.keys(logits)) hold(name, want.logits, logits[name], allowed('logits', tolerance));
    const first = await navigation(browser, server);
    return { versions, text: [latencyText(took), navigationText(first), await sizesText(browser, server)].join('\n\n') };
  } finally {
    await browser.close();
    server.close();
  }
}

/**
 * Opens a page in a browser context of its own: nothing is cached.
 * @param {(page: import('playwright-core').Page, arrived: Promise<unknown>) => Promise<unknown>} visit is called while the page is on its way
 */
async function fresh(browser, address, visit, { before, rest = 0 } = {}) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await new Promise((resolve) => setTimeout(resolve, rest));
    const failed = new Promise((_, reject) => page.on('pageerror', reject));
    failed.catch(() => {}); // it is waited for below, perhaps later
    if (before) await page.addInitScript(before);
    const arrived = page.goto(address);
    const [seen] = await Promise.race([Promise.all([visit(page, arrived), arrived]), failed]);
    return seen;
  } finally {
    await context.close();
  }
}

const raceAddress = (server, first) => `${server.address}/web/bench/page/race.html${first ? `?first=${encodeURIComponent(first)}` : ''}`;

function latency(browser, server) {
  return fresh(browser, raceAddress(server), async (page, arrived) => {
    await arrived;
    await page.waitForFunction(() => globalThis.ready);
    return page.evaluate((args) => globalThis.race(args), length);
  });
}

function latencyText(took) {
  const rows = [...ours, ...theirs].map((name) => [name, spread(took[name]), ...theirs.map((other) => faster(took[name], took[other]))]);
  return `One picture, eight looks, one thread, milliseconds. All engines live in one page and take turns, ${took[ours[0]].length} rounds of ${length.times} pictures.
Each gets the same pictures and is timed until the logits are out; ${rule(tolerance)}.
TensorFlow.js runs the network written in its own operators, all of them on its WebAssembly backend: the sensor is \`tf.image.transform\`.

${table(['', 'ms', ...theirs.map((name) => `times faster than ${name}`)], rows)}`;
}

/**
 * From navigation to the first answer, milliseconds since the page's time origin. The page itself says when, for asking it again and
 * again takes time on its thread; and Chromium first has time for the window, whose own parts keep a processor busy for a second.
 */
async function navigation(browser, server) {
  const rest = 1500;
  const visit = async (page) => {
    const said = await page.waitForEvent('console', { predicate: (message) => message.text().startsWith('first result'), timeout: 60000 });
    return Number(said.text().split(' ').at(-1));
  };
  const minimal = (name) => () => fresh(browser, raceAddress(server, name), visit, { rest });
  // In index.html the first answer is there when the stage says what the network saw.
  const watch = () => {
    const seen = () => {
      const picture = document.getElementById('picture');
      if (!globalThis.firstResult && picture?.getAttribute('aria-label').includes('as the network sees it') &&
          !document.getElementById('stage').hasAttribute('aria-busy')) {
        globalThis.firstResult = performance.now();
        console.debug('first result', globalThis.firstResult);
      }
    };
    new MutationObserver(seen).observe(document, { subtree: true, childList: true, attributes: true });
  };
  const index = pathToFileURL(path.join(top, 'index.html')).href;
  return takeTurns({
    'ours, index.html from file://': () => fresh(browser, index, visit, { before: watch, rest }),
    'ours, smallest page over http': minimal('ours, relaxed SIMD'),
    'onnxruntime-web, smallest page over http': minimal('onnxruntime-web'),
    'tfjs-backend-wasm, smallest page over http': minimal('tfjs-backend-wasm'),
  }, { rounds: navigations, seconds: 120 });
}

function navigationText(took) {
  const other = 'onnxruntime-web, smallest page over http';
  return `From navigation, in a window that is open, to the first answer, milliseconds, nothing cached, over 127.0.0.1 where a server is needed, ${took[other].length} rounds:

${table(['', 'ms', 'times sooner than onnxruntime-web'], Object.entries(took).map(([name, all]) => [name, spread(all, 0), faster(all, took[other])]))}`;
}

// Where the files of each engine lie, beside those of the race itself, the pictures and the weights.
const engineFiles = {
  'ours, relaxed SIMD': /^\/web\/src\/|^\/engine\.wasm$|^\/core\/kernel\/|^\/wasm_exec\.js$/,
  'onnxruntime-web': /\/onnxruntime-web\//,
  'tfjs-backend-wasm': /\/@tensorflow\//,
};

/** What the smallest page of each engine loads. */
async function sizesText(browser, server) {
  const rows = [];
  for (const [name, files] of Object.entries(engineFiles)) {
    server.loaded();
    await fresh(browser, raceAddress(server, name), async (page, arrived) => {
      await arrived;
      await page.waitForFunction(() => globalThis.firstResult);
    });
    const engine = server.loaded().filter(({ address }) => files.test(address));
    const sum = (size) => engine.reduce((all, file) => all + file[size], 0);
    rows.push([name.replace(', relaxed SIMD', ''), kilobytes(sum('raw')), kilobytes(sum('gzip')), engine.map(({ address }) => path.basename(address)).toSorted().join(', ')]);
  }
  return `What each engine weighs, without weights: all that its smallest page loads.

${table(['', 'bytes', 'gzip -9', 'files'], rows)}`;
}

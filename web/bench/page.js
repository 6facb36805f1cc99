// The race in the browser: our engine against onnxruntime-web and TensorFlow.js, in one page of Chromium.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { launch } from '../test/browser.js';
import { readPictures, top, versionOf } from './ours.js';
import { sameAnswer, steady, takeTurns } from './rounds.js';
import { serve } from './server.js';
import { faster, kilobytes, spread, table } from './table.js';

export const title = 'In the page';

const rounds = 40;
const times = 6; // pictures a turn
const warmUp = 60; // pictures: Chromium compiles anew what has run for a while
const navigations = 9;
const allowed = 1e-3; // between logits

const ours = ['ours, SIMD', 'ours, relaxed SIMD', 'ours, scalar'];
const theirs = ['onnxruntime-web', 'tfjs-backend-wasm'];

export async function run(build) {
  const weights = build.weightsOf('cifar10');
  const model = build.exported(weights);
  const pictures = Buffer.from(JSON.stringify(bytesOf(build.samples('cifar10')).map((colours) => ({ colours }))));
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

/** Pictures as bytes, [128][128][3], from [3][128][128] in 0..1. */
function bytesOf(file) {
  const { data, count } = readPictures(file);
  const plane = 128 * 128;
  return Array.from({ length: count }, (_, n) =>
    Array.from({ length: 3 * plane }, (_, i) => Math.round(255 * data[n * 3 * plane + i % 3 * plane + Math.floor(i / 3)])));
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
    return page.evaluate((args) => globalThis.race(...args), [rounds, times, warmUp]);
  });
  const compared = steady(ours.map((name) => logits[name]));
  for (const name of theirs) {
    for (const i of compared) sameAnswer(name, logits[ours[0]][i], logits[name][i], allowed);
  }
  return { took, compared: `${compared.length} of ${logits[ours[0]].length}` };
}

function latencyText({ took, compared }) {
  const rows = [...ours, ...theirs].map((name) => [name, spread(took[name]), ...theirs.map((other) => faster(took[name], took[other]))]);
  return `One picture, eight looks, one thread, milliseconds. All engines live in one page and take turns, ${rounds} rounds of ${times} pictures;
medians, in brackets what eight of ten rounds lie between. Each gets the same pictures as numbers and is timed until the logits are out;
their logits agree to ${allowed} (on ${compared} pictures; on the others the sharp policy makes more of rounding already between our own kernels). TensorFlow.js runs the network written in its own operators, all of them on its
WebAssembly backend; \`tf.image.transform\` samples the glimpses.

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

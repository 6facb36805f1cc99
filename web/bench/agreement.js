// How often the homes of the network agree, on test pictures that are not in the repository.
import { readFileSync } from 'node:fs';
import { quantile } from 'simple-statistics';
import { launch } from '../test/browser.js';
import { apart } from './agree.js';
import { modes } from './engines.js';
import { inNode, inPage } from './homes.js';
import { pictureBytes } from './ours.js';
import { serve } from './server.js';
import { table } from './table.js';

export const title = 'Agreement';

const count = 1000;
const close = 1e-4; // between logits

export async function run(build) {
  const data = process.env.DATA;
  if (!data) throw new Error('the pictures are not here; run make agree DATA=folder');
  const browser = await launch();
  const version = browser.version();
  const given = [], following = [];
  try {
    for (const model of ['cifar10', 'mnist']) {
      const weights = build.weightsOf(model);
      const file = build.testPictures(model, data, count);
      const bytes = pictureBytes(file);
      const server = await serve({ '/pictures': () => bytes, '/weights.safetensors': () => readFileSync(weights) });
      const random = build.answer(weights, file, 'random');
      const policy = build.answer(weights, file);
      const homes = Object.fromEntries(Object.keys(modes).map((mode) => [`${mode}, Chromium`, (places) => inPage(browser, server, mode, places)]));
      homes['SIMD, Node'] = (places) => inNode({ weights, mode: 'SIMD' }, bytes, places);
      for (const [home, answer] of Object.entries(homes)) {
        given.push([model, home, ...compare(random.logits, await answer(random.locations))]);
        following.push([model, home, ...compare(policy.logits, await answer())]);
      }
      server.close();
    }
  } finally {
    await browser.close();
  }
  const rows = (list) => table(['weights', 'WebAssembly', 'same top 1', `all logits within ${close}`, 'median distance', '99% within', 'all within'], list);
  const text = `The native program against the page's engine, on the first ${count} test pictures, by \`make agree\`; a distance is the largest between
a picture's logits.

At given places, random ones, nothing multiplies a difference:

${rows(given)}

Following the policy. One that learnt by trying elsewhere, as the digits' did, is sharp: each look multiplies what rounding left
before it two to ten times, and on some pictures eight looks make much of it.

${rows(following)}`;
  const worst = Math.max(...given.map((row) => Number(row.at(-1))));
  if (!(worst <= close)) throw new Error(`${text}\n\nAt given places all logits must agree to ${close}; they do not.`);
  return { versions: { Chromium: version }, text };
}

/** How two lists of logits agree, as cells of the table. */
function compare(want, got) {
  const label = (logits) => logits.indexOf(Math.max(...logits));
  const distances = want.map((row, i) => apart(row, got[i]));
  const share = (hits) => `${hits.filter(Boolean).length} of ${hits.length}`;
  return [share(want.map((row, i) => label(row) === label(got[i]))), share(distances.map((d) => d <= close)),
    ...[0.5, 0.99, 1].map((q) => quantile(distances, q).toExponential(1))];
}

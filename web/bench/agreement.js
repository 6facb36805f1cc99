// How often the homes of the network agree, on test pictures that are not in the repository.
import { launch } from '../test/browser.js';
import { modes } from '../test/engine.js';
import { quantile } from 'simple-statistics';
import { apart } from './agree.js';
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
      const server = await serve({ '/pictures': () => bytes });
      const native = { random: build.answer(weights, file, 'random').logits, policy: build.answer(weights, file).logits };
      for (const [mode, versions] of Object.entries(modes)) {
        given.push([model, mode, ...compare(native.random, build.answerInWasm(versions.length, weights, file, 'random').logits)]);
        const there = await inPage(browser, server, model, versions);
        const here = await inNode(model, mode, bytes);
        following.push([model, `${mode}, Chromium`, ...compare(native.policy, there)], [model, `${mode}, Node`, ...compare(native.policy, here)]);
      }
      server.close();
    }
  } finally {
    await browser.close();
  }
  const rows = (list) => table(['weights', 'WebAssembly', 'same top 1', `all logits within ${close}`, 'median distance', '99% within', 'all within'], list);
  const text = `The native program against WebAssembly, on the first ${count} test pictures, by \`make agree\`; distances are the largest of a picture's logits.

At given places (random ones, all looks weigh 1) nothing multiplies a difference; the core as WebAssembly in Node:

${rows(given)}

Following the policy, the page's own engine. The trained policies are sharp: each look multiplies what rounding left before it
two to ten times, and on some pictures eight looks make much of it.

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

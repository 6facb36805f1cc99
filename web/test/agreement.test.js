// The network is one, wherever it runs: native, in Node and in the page, with every kind of kernels.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { expectation, hold } from '../bench/agree.js';
import { modes } from '../bench/engines.js';
import { inNode, inPage } from '../bench/homes.js';
import { open, pictureBytes } from '../bench/ours.js';
import { serve } from '../bench/server.js';
import { launch, models } from './browser.js';

const allowed = 1e-4; // between logits

let browser, build;
before(async () => {
  browser = await launch();
  build = open();
});
after(async () => {
  await browser?.close();
  build?.close();
});

const label = (logits) => logits.indexOf(Math.max(...logits));

/** What the native program says of the samples of a model, once. */
const native = new Map();
function wants(model) {
  if (!native.has(model)) {
    const [weights, file] = [build.weightsOf(model), build.samples(model)];
    native.set(model, {
      weights, bytes: pictureBytes(file),
      given: build.answer(weights, file, 'random'), following: expectation(build, weights, file),
    });
  }
  return native.get(model);
}

for (const model of models) {
  for (const mode of Object.keys(modes)) {
    test(`${model}, ${mode}`, async (t) => {
      const { weights, bytes, given, following } = wants(model);
      const server = await serve({ '/pictures': () => bytes, '/weights.safetensors': () => readFileSync(weights) });
      t.after(() => server.close());
      const chromium = (places) => inPage(browser, server, mode, places);
      const node = (places) => inNode({ weights, mode }, bytes, places);

      // At given places there is nothing to multiply a difference.
      const strict = given.logits.map(() => allowed);
      const there = await chromium(given.locations);
      t.diagnostic(`at given places at most ${hold(`${mode} in Chromium`, given.logits, there, strict).toExponential(1)} from the native program`);
      hold(`${mode} in Node`, given.logits, await node(given.locations), strict);

      const { want } = following;
      const within = following.allowed('logits', allowed);
      const page = await chromium();
      t.diagnostic(`following the policy at most ${hold(`${mode} in Chromium`, want.logits, page, within).toExponential(1)}`);
      assert.deepEqual(page.map(label), want.logits.map(label));
      const here = await node();
      // Relaxed SIMD is what the processor and the engine make of it; the rest is laid down to the bit.
      if (mode === 'relaxed SIMD') hold('Node', want.logits, here, within);
      else assert.deepEqual(here, page, 'Node and Chromium compute the same bits');
    });
  }
}

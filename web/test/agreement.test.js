// The network is one, wherever it runs: native, in Node and in the page, with every kind of kernels.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import path from 'node:path';
import { expectation, hold } from '../bench/agree.js';
import { inNode, inPage } from '../bench/homes.js';
import { open, pictureBytes, top } from '../bench/ours.js';
import { serve } from '../bench/server.js';
import { launch } from './browser.js';
import { modes } from './engine.js';

const allowed = 1e-4; // between logits

let browser, build;
before(async () => {
  browser = await launch();
  build = open();
});
after(async () => {
  await browser.close();
  build.close();
});

const label = (logits) => logits.indexOf(Math.max(...logits));

/** What the native program says of the samples of a model, once. */
const native = new Map();
function wants(model) {
  if (!native.has(model)) {
    const [weights, file] = [build.weightsOf(model), build.samples(model)];
    native.set(model, {
      weights, file, bytes: pictureBytes(file),
      expected: expectation(build, weights, file), wanted: build.answer(weights, file, 'random').logits,
    });
  }
  return native.get(model);
}

const models = readdirSync(path.join(top, 'weights')).filter((name) => name.endsWith('.safetensors')).map((name) => path.parse(name).name);
for (const model of models) {
  for (const [mode, versions] of Object.entries(modes)) {
    test(`${model}, ${mode}`, async (t) => {
      const { weights, file, bytes, expected, wanted } = wants(model);

      // With places given there is nothing to multiply a difference.
      const got = build.answerInWasm(versions.length, weights, file, 'random');
      assert.equal(got.instructions, mode);
      const apart = hold(`${mode}, places given`, wanted, got.logits, wanted.map(() => allowed));
      t.diagnostic(`places given: at most ${apart.toExponential(1)} apart from the native program`);

      const server = await serve({ '/pictures': () => bytes });
      const there = await inPage(browser, server, model, versions);
      server.close();
      const following = hold(`${mode}, following the policy`, expected.want.logits, there, expected.allowed('logits', allowed));
      t.diagnostic(`following the policy: at most ${following.toExponential(1)} apart`);
      assert.deepEqual(there.map(label), expected.want.logits.map(label));
      const here = await inNode(model, mode, bytes);
      // Relaxed SIMD is what the processor and the engine make of it; the rest is laid down to the bit.
      if (mode === 'relaxed SIMD') hold('Node', expected.want.logits, here, expected.allowed('logits', allowed));
      else assert.deepEqual(here, there, 'Node and Chromium compute the same bits');
    });
  }
}

// The exported model in onnxruntime against our own program and against the reference's numbers.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import ort from 'onnxruntime-node';
import { expectation, hold } from './agree.js';
import { golden, open, pictureShape, readPictures, top } from './ours.js';

const allowed = 1e-4;
const outputs = ['logits', 'locations', 'weights'];

let ours;
before(() => { ours = open(); });
after(() => ours.close());

/** The rows of every output, one a picture. */
async function theirs(weights, { data, count }) {
  const session = await ort.InferenceSession.create(ours.exported(weights), { intraOpNumThreads: 1 });
  const result = await session.run({ image: new ort.Tensor('float32', data, [count, ...pictureShape]) });
  await session.release();
  return Object.fromEntries(outputs.map((name) => [name, rows(result[name].data, count)]));
}

const rows = (all, count) => Array.from({ length: count }, (_, i) => Array.from(all.slice(i * all.length / count, (i + 1) * all.length / count)));

for (const classes of [10, 100]) {
  test(`golden pictures, ${classes} classes`, async (t) => {
    const tensor = golden(`eval_c${classes}_s1`);
    const data = Float32Array.from(tensor('images'), (v) => v / 255);
    const file = ours.saved(`golden${classes}`, data);
    const weights = ours.formula(classes);
    const { count } = readPictures(file);
    const got = await theirs(weights, readPictures(file));
    const answer = ours.answer(weights, file);
    const strict = Array(count).fill(allowed); // these weights look about calmly
    for (const name of outputs) {
      t.diagnostic(`${name}, ours: at most ${hold(name, answer[name], got[name], strict).toExponential(1)} apart`);
      t.diagnostic(`${name}, the reference's: at most ${hold(name, rows(tensor(name), count), got[name], strict).toExponential(1)} apart`);
    }
  });
}

for (const dataset of readdirSync(path.join(top, 'web/samples'))) {
  test(`bundled pictures, ${dataset}`, async (t) => {
    const weights = ours.weightsOf(dataset);
    const file = ours.samples(dataset);
    const { data, count } = readPictures(file);
    assert.ok(count > 1);
    const expected = expectation(ours, weights, file);
    const together = await theirs(weights, { data, count });
    const alone = await theirs(weights, { data: data.slice(0, data.length / count), count: 1 });
    for (const name of outputs) {
      const within = expected.allowed(name, allowed);
      t.diagnostic(`${name}, ${path.basename(weights)}: at most ${hold(name, expected.want[name], together[name], within).toExponential(1)} apart`);
      hold(`${name}, one picture alone`, expected.want[name].slice(0, 1), alone[name], within);
    }
  });
}

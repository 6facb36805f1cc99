// The exported model in onnxruntime against our own program and against the reference's numbers.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import ort from 'onnxruntime-node';
import { golden, open, pictureShape, readPictures, top } from './ours.js';

const allowed = 1e-4;
const outputs = ['logits', 'locations', 'weights'];

let ours;
before(() => { ours = open(); });
after(() => ours.close());

async function theirs(weights, { data, count }) {
  const session = await ort.InferenceSession.create(ours.exported(weights), { intraOpNumThreads: 1 });
  const result = await session.run({ image: new ort.Tensor('float32', data, [count, ...pictureShape]) });
  await session.release();
  return Object.fromEntries(outputs.map((name) => [name, result[name].data]));
}

/** Holds every number of got within what is allowed of want, and says how far apart they are. */
function agree(t, what, want, got) {
  want = Array.from(want).flat(Infinity);
  assert.equal(got.length, want.length, what);
  const apart = want.map((v, i) => Math.abs(v - got[i]));
  const worst = Math.max(...apart); // NaN if one is
  t.diagnostic(`${what}: ${want.length} numbers, at most ${worst.toExponential(1)} apart`);
  assert.ok(worst <= allowed, `${what}: ${worst} apart, allowed ${allowed}`);
}

for (const classes of [10, 100]) {
  test(`golden pictures, ${classes} classes`, async (t) => {
    const tensor = golden(`eval_c${classes}_s1`);
    const data = Float32Array.from(tensor('images'), (v) => v / 255);
    const file = ours.saved(`golden${classes}`, data);
    const weights = ours.formula(classes);
    const got = await theirs(weights, readPictures(file));
    const answer = ours.answer(weights, file);
    for (const name of outputs) {
      agree(t, `${name}, ours`, answer[name], got[name]);
      agree(t, `${name}, the reference's`, tensor(name), got[name]);
    }
  });
}

for (const dataset of readdirSync(path.join(top, 'web/samples'))) {
  test(`bundled pictures, ${dataset}`, async (t) => {
    const weights = ours.weightsOf(dataset);
    const file = ours.samples(dataset);
    const { data, count } = readPictures(file);
    assert.ok(count > 1);
    const got = await theirs(weights, { data, count });
    const answer = ours.answer(weights, file);
    for (const name of outputs) agree(t, `${name}, ${path.basename(weights)}`, answer[name], got[name]);
    const alone = await theirs(weights, { data: data.slice(0, data.length / count), count: 1 });
    for (const name of outputs) agree(t, `${name}, one picture alone`, answer[name][0].flat(), alone[name]);
  });
}

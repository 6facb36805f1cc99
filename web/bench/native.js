// The native race: our program against onnxruntime's native build, on the same weights, pictures and threads.
import ort from 'onnxruntime-node';
import { start } from './child.js';
import { expectation, hold, rule } from './agree.js';
import { pictureShape, readPictures, versionOf } from './ours.js';
import { takeTurns } from './rounds.js';
import { faster, spread, table } from './table.js';
import { inThreads, threadCounts } from './threads.js';

export const title = 'Native';

// How many pictures at once, and how many times a turn.
const loads = [{ batch: 1, times: 20 }, { batch: 128, times: 1 }];
// After a run onnxruntime's threads go on spinning for a while and would eat into our turn.
const length = { rounds: 20, rest: 50, seconds: 30 };
const tolerance = 1e-3; // between logits; see agree.js
const looks = 8;

export async function run(build) {
  const weights = build.weightsOf('mnist');
  const file = build.samples('mnist');
  const model = build.exported(weights);
  const pictures = readPictures(file);
  const { want, allowed } = expectation(build, weights, file);
  const rows = [];
  for (const threads of [...new Set([1, 2, threadCounts().at(-1)])].sort((a, b) => a - b)) {
    const ours = start(build.racer, ['race', weights, file, String(threads)]);
    const theirs = await ort.InferenceSession.create(model, { intraOpNumThreads: threads, interOpNumThreads: 1 });
    const { logits } = await theirs.run({ image: tensor(pictures, pictures.count) });
    hold('onnxruntime-node', want.logits, want.logits.map((row, i) => logits.data.subarray(i * row.length, (i + 1) * row.length)), allowed('logits', tolerance));
    for (const { batch, times } of loads) {
      const image = tensor(pictures, batch);
      const took = await takeTurns({
        ours: async () => (await ours.ask(batch, looks, times))[0],
        theirs: async () => {
          const before = performance.now();
          for (let i = 0; i < times; i++) await theirs.run({ image }, ['logits']);
          return (performance.now() - before) / times;
        },
      }, length);
      const rate = (all) => spread(all.map((ms) => 1000 * batch / ms), 0);
      rows.push([batch, inThreads(threads), spread(took.ours), spread(took.theirs), rate(took.ours), rate(took.theirs), faster(took.ours, took.theirs)]);
    }
    ours.stop();
    await theirs.release();
  }
  return {
    versions: { 'onnxruntime-node': versionOf('onnxruntime-node') },
    text: `Eight looks, up to ${length.rounds} rounds; the two wait for each other, and ${rule(tolerance)}.

${table(['pictures at once', 'threads', 'ours, ms', 'onnxruntime-node, ms', 'ours, pictures/s', 'onnxruntime-node, pictures/s', 'times faster'], rows)}`,
  };
}

/** A batch of pictures, again and again. */
function tensor({ data, count }, batch) {
  const size = data.length / count;
  const all = new Float32Array(batch * size);
  for (let i = 0; i < batch; i++) all.set(data.subarray(i % count * size, (i % count + 1) * size), i * size);
  return new ort.Tensor('float32', all, [batch, ...pictureShape]);
}

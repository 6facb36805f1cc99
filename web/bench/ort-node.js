// The native race: our program against onnxruntime's native build, on the same weights, pictures and threads.
// Prints a table in Markdown.
//
//	node ort-node.js [rounds]
//
// The two take turns, so that whatever else the machine does hits both, and a round counts by its ratio.
import { spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import ort from 'onnxruntime-node';
import { median, quantile } from 'simple-statistics';
import { open, pictureShape, readPictures } from './ours.js';

const rounds = Number(process.argv[2] ?? 15);
if (!(rounds >= 1)) throw new Error(`${process.argv[2]} rounds; want a number of 1 or more`);

// How many pictures at once, and how many times in a row.
const loads = [{ batch: 1, times: 20 }, { batch: 128, times: 1 }];

// After a run onnxruntime's threads go on spinning for a while and would eat into our turn.
const rest = 50; // milliseconds

/** Our program as a function of (batch, times) that returns the milliseconds of one time. */
function startOurs(ours, weights, pictures, threads) {
  const child = spawn(ours.native, ['race', weights, pictures, String(threads)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async run(batch, times) {
      child.stdin.write(`${batch} ${times}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error('our program ended early');
      return Number(value);
    },
    stop: () => child.stdin.end(),
  };
}

async function startTheirs(model, { data, count }, threads) {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: threads, interOpNumThreads: 1 });
  const inputs = new Map();
  const input = (batch) => {
    if (!inputs.has(batch)) {
      const size = data.length / count;
      const all = new Float32Array(batch * size);
      for (let i = 0; i < batch; i++) all.set(data.subarray(i % count * size, (i % count + 1) * size), i * size);
      inputs.set(batch, new ort.Tensor('float32', all, [batch, ...pictureShape]));
    }
    return inputs.get(batch);
  };
  return {
    async run(batch, times) {
      const image = input(batch);
      const start = performance.now();
      for (let i = 0; i < times; i++) await session.run({ image });
      return (performance.now() - start) / times;
    },
    stop: () => session.release(),
  };
}

/** The median, and between what the middle half of the rounds lies. */
function spread(values, digits) {
  return `${median(values).toFixed(digits)} (${quantile(values, [0.25, 0.75]).map((v) => v.toFixed(digits)).join(' to ')})`;
}

const ours = open();
try {
  const weights = ours.weightsOf('mnist');
  const pictures = ours.samples('mnist');
  const model = ours.exported(weights);
  console.log(`${cpus()[0].model}, ${cpus().length} processors; onnxruntime-node ${ort.env.versions.node}, Node ${process.version};`,
    `${rounds} rounds, medians, the middle half of the rounds in brackets`);
  console.log();
  console.log('| pictures at once | threads | ours, ms | onnxruntime, ms | ours, pictures/s | onnxruntime, pictures/s | times faster |');
  console.log('|---|---|---|---|---|---|---|');
  for (const { batch, times } of loads) {
    for (const threads of [1, 2]) {
      const racers = [startOurs(ours, weights, pictures, threads), await startTheirs(model, readPictures(pictures), threads)];
      for (const racer of racers) await racer.run(batch, times); // to warm up
      const took = [[], []];
      for (let round = 0; round < rounds; round++) {
        for (const who of round % 2 ? [1, 0] : [0, 1]) {
          await setTimeout(rest);
          took[who].push(await racers[who].run(batch, times));
        }
      }
      for (const racer of racers) await racer.stop();
      const ratios = took[0].map((ms, round) => took[1][round] / ms);
      const rates = took.map((all) => (1000 * batch / median(all)).toFixed(0));
      console.log(`| ${batch} | ${threads} | ${spread(took[0], 2)} | ${spread(took[1], 2)} | ${rates[0]} | ${rates[1]} | ${spread(ratios, 2)} |`);
    }
  }
} finally {
  ours.close();
}

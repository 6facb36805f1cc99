// The race in Node: the page's engine against onnxruntime's native build.
import ort from 'onnxruntime-node';
import { startInNode, unpack } from '../test/engine.js';
import { ofHost, ofSession } from './engines.js';
import { picturesOf, versionOf } from './ours.js';
import { raceEngines, sameAnswers } from './rounds.js';
import { faster, spread, table } from './table.js';

export const title = 'In Node, against a native engine';

const length = { rounds: 40, times: 6, warmUp: 60 };
const theirs = 'onnxruntime-node, native';

export async function run(build) {
  const engines = {};
  for (const mode of ['SIMD', 'relaxed SIMD', 'scalar']) {
    const host = await startInNode(mode);
    host.open('cifar10', unpack('weights-cifar10'));
    engines[`ours, WebAssembly, ${host.instructions}`] = ofHost(host, 'cifar10');
  }
  const ours = Object.keys(engines);
  const session = await ort.InferenceSession.create(build.exported(build.weightsOf('cifar10')), { intraOpNumThreads: 1, interOpNumThreads: 1 });
  engines[theirs] = ofSession(ort, session);
  const { logits, took } = await raceEngines(engines, picturesOf(build.samples('cifar10')), length);
  const same = sameAnswers(logits, ours, [theirs]);
  await session.release();
  const rows = Object.keys(took).map((name) => [name, spread(took[name]), faster(took[name], took[theirs])]);
  return {
    versions: { 'onnxruntime-node': versionOf('onnxruntime-node') },
    text: `One picture, eight looks, one thread, milliseconds; ${length.rounds} rounds of ${length.times} pictures in one process. Ours is the page's WebAssembly, theirs uses
whatever the processor has; ${same}.

${table(['', 'ms', `times faster than ${theirs}`], rows)}`,
  };
}

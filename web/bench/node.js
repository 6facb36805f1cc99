// The race in Node: the page's engine against onnxruntime's native build.
import { readFileSync } from 'node:fs';
import ort from 'onnxruntime-node';
import { expectation, hold, rule } from './agree.js';
import { startInNode } from './built.js';
import { modes, ofHost, ofSession, pictures } from './engines.js';
import { pictureBytes, versionOf } from './ours.js';
import { raceEngines } from './rounds.js';
import { faster, spread, table } from './table.js';

export const title = 'In Node, against a native engine';

const length = { rounds: 40, times: 6, warmUp: 60 };
const tolerance = 1e-3; // between logits; see agree.js
const theirs = 'onnxruntime-node, native';

export async function run(build) {
  const weights = build.weightsOf('cifar10');
  const engines = {};
  for (const mode of Object.keys(modes)) {
    engines[`ours, WebAssembly, ${mode}`] = ofHost(await startInNode(mode, readFileSync(weights)), 'network');
  }
  const file = build.samples('cifar10');
  const session = await ort.InferenceSession.create(build.exported(weights), { intraOpNumThreads: 1, interOpNumThreads: 1 });
  engines[theirs] = ofSession(ort, session);
  const { logits, took } = await raceEngines(engines, pictures(pictureBytes(file)), length);
  await session.release();
  const { want, allowed } = expectation(build, weights, file);
  for (const name of Object.keys(logits)) hold(name, want.logits, logits[name], allowed('logits', tolerance));
  const rows = Object.keys(took).map((name) => [name, spread(took[name]), faster(took[name], took[theirs])]);
  return {
    versions: { 'onnxruntime-node': versionOf('onnxruntime-node') },
    text: `One picture, eight looks, one thread, milliseconds; ${took[theirs].length} rounds of ${length.times} pictures in one process. Ours is the page's WebAssembly, theirs uses
whatever the processor has; ${rule(tolerance)}.

${table(['', 'ms', `times faster than ${theirs}`], rows)}`,
  };
}

// The race in training: whole steps of the published recipe, ours and PyTorch's.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from 'simple-statistics';
import { start } from './child.js';
import { readPictures } from './ours.js';
import { takeTurns } from './rounds.js';
import { spread, table } from './table.js';
import { inThreads, threadCounts } from './threads.js';

export const title = 'Training';

const batch = 128;
const steps = 2; // a turn
const length = { rounds: 12, rest: 100, seconds: 80 }; // threads of PyTorch spin for a while after a turn
// Between losses, relative. The second step's loss has been through gradients and Adam, which makes whole steps of
// gradients that are nearly zero: with one thread and with two, PyTorch differs from itself by half of that.
const allowed = [1e-4, 1e-2];

const script = fileURLToPath(new URL('pytorch_step.py', import.meta.url));

/** A Python that has PyTorch, its version and the library that multiplies its matrices; nothing where there is none. */
function findTorch() {
  const ask = `import torch, re
print(torch.__version__)
try: libraries = open('/proc/self/maps').read()
except OSError: libraries = ''
print('MKL' if torch.backends.mkl.is_available() else 'OpenBLAS' if 'openblas' in libraries else 'BLIS' if 'libblis' in libraries else
      'the reference BLAS' if re.search('libblas', libraries) else 'its own BLAS')`;
  for (const python of ['python3', '/usr/bin/python3']) { // Debian's packages are seen by Debian's Python alone
    try {
      const [version, blas] = execFileSync(python, ['-c', ask], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim().split('\n');
      return { python, version, blas };
    } catch { /* the next one, then */ }
  }
}

export async function run(build) {
  const torch = findTorch();
  const weights = build.formula(10);
  const files = [weights, lesson(build), build.saved('noise', normals(9 * batch * 2))];
  const children = {};
  for (const n of threadCounts()) {
    children[`ours, ${inThreads(n)}`] = start(build.racer, ['train', ...files, String(n)]);
    if (torch) children[`PyTorch, ${inThreads(n)}`] = start(torch.python, [script, ...files, String(n)]);
  }
  try {
    await sameLosses(children);
    const took = await takeTurns(Object.fromEntries(Object.entries(children)
      .map(([name, child]) => [name, async () => (await child.ask(steps))[0]])), length);
    return { versions: torch ? { PyTorch: `${torch.version} with ${torch.blas}` } : {}, text: describe(took, torch) };
  } finally {
    for (const child of Object.values(children)) child.stop();
  }
}

/** A batch of the bundled pictures, again and again. */
function lesson(build) {
  const all = ['cifar10', 'mnist', 'cifar100'].map((name) => readPictures(build.samples(name)).data);
  const pictures = new Float32Array(batch * 3 * 128 * 128);
  for (let at = 0, i = 0; at < pictures.length; i++) {
    const some = all[i % all.length].subarray(0, pictures.length - at);
    pictures.set(some, at);
    at += some.length;
  }
  return build.saved('lesson', pictures);
}

/** Standard normal numbers, always the same. */
function normals(n) {
  let state = 1;
  const uniform = () => (state = state * 48271 % 2147483647) / 2147483647;
  return Float32Array.from({ length: n }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

/** Holds that all take the same steps: by the loss before the first and after it. */
async function sameLosses(children) {
  for (const [step, within] of allowed.entries()) {
    let want;
    for (const [name, child] of Object.entries(children)) {
      const [, loss] = await child.ask(1);
      want ??= loss;
      if (!(Math.abs(loss - want) <= within * Math.abs(want))) throw new Error(`${name} has a loss of ${loss} in step ${step + 1}, ours is ${want}: not the same training`);
    }
  }
}

function describe(took, torch) {
  const names = Object.keys(took);
  const rates = Object.fromEntries(names.map((name) => [name, took[name].map((ms) => 1000 * batch / ms)]));
  const best = names.filter((name) => name.startsWith('PyTorch')).sort((a, b) => median(rates[b]) - median(rates[a]))[0];
  const rows = names.map((name) => [name, spread(rates[name], 0), ...best ? [spread(took[best].map((ms, i) => ms / took[name][i]))] : []]);
  return `Pictures a second in a whole training step of the published recipe: ${batch} pictures, eight looks, forward, losses, backward, Adam; ${took[names[0]].length} rounds of
${steps} steps, in processes that wait for each other. ${torch ? `PyTorch runs the same network in channels_last (\`web/bench/pytorch_step.py\`), from the same weights on the same pictures with the
same noise; the losses of the first two steps agree to ${allowed.join(' and ')} of their size. The best PyTorch is the one with ${best.replace('PyTorch, ', '')}.${
  torch.blas === 'the reference BLAS' ? '\n**PyTorch is slow here for want of a good BLAS: install libopenblas0-openmp and run this again.**' : ''}`
    : 'PyTorch is not installed here (Debian has it as python3-torch), so ours runs alone.'}

${table(['', 'pictures/s', ...torch ? ['times the best PyTorch'] : []], rows)}`;
}

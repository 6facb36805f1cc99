// Our engine as the page loads it, without the worker.
import { Host } from '../../src/engine/host.js';
import { compileKernels } from '../../src/engine/kernels.js';
import { ofHost } from '../engines.js';

const bytes = async (name) => new Uint8Array(await (await fetch(`/dist/${name}`)).arrayBuffer());

/** @param {string} model @param {string[]} versions of the kernels */
export async function start(model, versions) {
  const [program, kernels, weights] = await Promise.all([
    WebAssembly.compileStreaming(fetch('/dist/engine.wasm')),
    Promise.all(versions.map((name) => bytes(`${name}.wasm`))).then(compileKernels),
    bytes(`weights-${model}`),
  ]);
  const host = await Host.start({ program, kernels });
  const want = ['scalar', 'SIMD', 'relaxed SIMD'][versions.length];
  if (host.instructions !== want) throw new Error(`our engine runs with ${host.instructions} here, not ${want}`);
  host.open(model, weights);
  return ofHost(host, model);
}

// Our engine as the page loads it, without the worker.
import { Host } from '../../src/engine/host.js';
import { compileKernels } from '../../src/engine/kernels.js';
import { modes, ofHost } from '../engines.js';

const bytes = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());

/** @param {keyof typeof modes} mode */
export async function start(mode) {
  const [program, kernels, weights] = await Promise.all([
    WebAssembly.compileStreaming(fetch('/engine.wasm')),
    Promise.all(modes[mode].map((name) => bytes(`/core/kernel/${name}.wasm`))).then(compileKernels),
    bytes('/weights.safetensors'),
  ]);
  const host = await Host.start({ program, kernels });
  if (host.instructions !== mode) throw new Error(`our engine runs with ${host.instructions} here, not ${mode}`);
  host.open('network', weights);
  return ofHost(host, 'network');
}

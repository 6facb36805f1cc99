import 'virtual:wasm_exec';
import { instantiateWithKernels } from './kernels.js';

/**
 * What the engine is put together from.
 * @typedef {object} Modules
 * @property {WebAssembly.Module} program
 * @property {import('./kernels.js').Kernels} kernels
 */

/**
 * Starts Go's program and returns its bridge.
 *
 * @param {Modules} modules
 * @returns {Promise<GoBridge>}
 */
export async function instantiate({ program, kernels }) {
  const go = new Go();
  const instance = await instantiateWithKernels(program, go.importObject, kernels);
  return new Promise((resolve, reject) => {
    globalThis.gdramReady = (bridge) => {
      globalThis.gdramReady = undefined;
      resolve(bridge);
    };
    go.run(instance).then(
      () => reject(new Error('The engine stopped while starting; reload the page.')),
      reject,
    );
  });
}

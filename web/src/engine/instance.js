import 'virtual:wasm_exec';
import { instantiateWithKernels } from './kernels.js';

/**
 * What the engine is put together from.
 * @typedef {object} Modules
 * @property {WebAssembly.Module} program
 * @property {import('./kernels.js').Kernels} kernels
 */

/**
 * Starts Go's program and returns its exports.
 *
 * @param {Modules} modules
 * @param {(to: number, begin: number, size: number) => void} read wasm/browser/read.go says what it does
 * @returns {Promise<GoExports>}
 */
export async function instantiate({ program, kernels }, read) {
  const go = new Go();
  // What Go could collect while it starts is little, and it has time to do that later.
  go.env = { GOGC: 'off', GOMEMLIMIT: '64MiB' };
  const instance = await instantiateWithKernels(program, { ...go.importObject, page: { read } }, kernels);
  return new Promise((resolve, reject) => {
    // Comes back here when the program waits for calls. If it ended instead, reject is first.
    go.run(instance).then(() => reject(new Error('The engine stopped while starting; reload the page.')), reject);
    setTimeout(() => resolve(/** @type {GoExports} */ (/** @type {unknown} */ (instance.exports))));
  });
}

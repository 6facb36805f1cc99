import 'virtual:wasm_exec';

/**
 * Starts Go's program and returns its bridge. This is the only place that knows how the engine is
 * put together: a module of fast kernels that shares Go's memory joins here.
 *
 * @param {WebAssembly.Module} module
 * @returns {Promise<GoBridge>}
 */
export async function instantiate(module) {
  const go = new Go();
  const instance = await WebAssembly.instantiate(module, go.importObject);
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

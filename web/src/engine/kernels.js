// Go's compiler emits no vector instructions for WebAssembly, so core/kernel keeps its fast kernels in
// a module of their own that works on the memory of Go's program. The page and Node put the two
// together here.

/**
 * Compiles the versions of the kernels: plain SIMD, then relaxed SIMD. What this machine refuses
 * stays undefined.
 *
 * @param {Uint8Array<ArrayBuffer>[]} versions
 * @returns {Promise<Kernels>}
 */
export function compileKernels(versions) {
  return Promise.all(versions.map((bytes) => (WebAssembly.validate(bytes) ? WebAssembly.compile(bytes) : undefined)));
}

/** @typedef {(WebAssembly.Module | undefined)[]} Kernels */

/**
 * Instantiates Go's program with its kernels.
 *
 * @param {WebAssembly.Module} program
 * @param {WebAssembly.Imports} imports
 * @param {Kernels} kernels
 * @returns {Promise<WebAssembly.Instance>}
 */
export async function instantiateWithKernels(program, imports, kernels) {
  const { gdram, connect } = linkKernels(program);
  const instance = await WebAssembly.instantiate(program, { ...imports, gdram });
  const go = { mem: instance.exports.mem };
  connect(await Promise.all(kernels.map((kernel) => kernel && WebAssembly.instantiate(kernel, { go }))));
  return instance;
}

/**
 * The same at once, for runtimes that start programs between two lines of other code: Cloudflare's. Browsers
 * refuse that to large modules.
 *
 * @param {WebAssembly.Module} program
 * @param {WebAssembly.Imports} imports
 * @param {Kernels} kernels
 * @returns {WebAssembly.Instance}
 */
export function instantiateWithKernelsNow(program, imports, kernels) {
  const { gdram, connect } = linkKernels(program);
  const instance = new WebAssembly.Instance(program, { ...imports, gdram });
  const go = { mem: instance.exports.mem };
  connect(kernels.map((kernel) => kernel && new WebAssembly.Instance(kernel, { go })));
  return instance;
}

/**
 * Go needs its imports before it has the memory that the kernels need, so the imports pass the call on. Which
 * version gets it is decided by the program: it calls use(1) for the first, tries that out, and without one
 * computes everything itself.
 *
 * @param {WebAssembly.Module} program
 */
function linkKernels(program) {
  /** @type {(WebAssembly.Instance | undefined)[]} */
  let versions = [];
  /** @type {Record<string, Function>} */
  let chosen = {};
  /** @type {Record<string, Function>} */
  const gdram = {
    use(/** @type {number} */ version) {
      const instance = versions[version - 1];
      if (instance) chosen = /** @type {Record<string, Function>} */ (instance.exports);
      return instance ? 1 : 0;
    },
  };
  for (const { module, name } of WebAssembly.Module.imports(program)) {
    if (module === 'gdram') gdram[name] ??= (/** @type {number} */ args) => chosen[name](args);
  }
  return { gdram, connect(/** @type {(WebAssembly.Instance | undefined)[]} */ instances) { versions = instances; } };
}

import { Host, Refusal } from './host.js';
import { compileKernels } from './kernels.js';

/**
 * The bytes of the wasm binary, or as web/build packed them, with what is to be said if that is damaged.
 * @typedef {Uint8Array<ArrayBuffer> | { gzip: Uint8Array<ArrayBuffer>, damaged: string }} Packed
 */

/**
 * What the engine is made of: the wasm binary, perhaps compiled already, and for compileKernels its kernels.
 * @typedef {{ program: Packed | WebAssembly.Module, kernels: Uint8Array<ArrayBuffer>[] }} Parts
 */

/**
 * Makes a host on the thread that calls. All is unpacked and compiled there too: the page's own thread has other
 * things to do while it starts.
 *
 * @param {Parts} parts
 * @returns {Promise<Host>}
 */
export async function startHost({ program, kernels }) {
  try {
    const [compiled, versions] = await Promise.all([compile(program), compileKernels(kernels)]);
    return await Host.start({ program: compiled, kernels: versions });
  } catch (error) {
    if (!isForbidden(error)) throw error;
    throw new Refusal("This page's security policy forbids WebAssembly; add 'wasm-unsafe-eval' to its script-src.");
  }
}

/** @param {Packed | WebAssembly.Module} program */
async function compile(program) {
  if (program instanceof WebAssembly.Module) return program;
  if (program instanceof Uint8Array) return WebAssembly.compile(program);
  const { readable, writable } = new DecompressionStream('gzip');
  const writer = writable.getWriter(); // not the stream of a Blob, which asks another process for its bytes
  try {
    // As it is unpacked: its megabytes are never put together.
    const compiled = WebAssembly.compileStreaming(new Response(readable, { headers: { 'Content-Type': 'application/wasm' } }));
    const [module] = await Promise.all([compiled, writer.write(program.gzip), writer.close()]);
    return module;
  } catch (error) {
    throw isForbidden(error) ? error : new Refusal(program.damaged);
  }
}

/** @param {unknown} error */
const isForbidden = (error) => /Content Security Policy|blocked by CSP/i.test(String(error));

import { Host, Refusal } from './host.js';
import { compileKernels } from './kernels.js';

/**
 * The bytes of a file, or the file as web/build packed it, with what is to be said if that is damaged.
 * @typedef {Uint8Array<ArrayBuffer> | { gzip: Uint8Array<ArrayBuffer>, damaged: string }} Packed
 */

/**
 * What the engine is made of: the wasm binary, perhaps compiled already, and for compileKernels its kernels.
 * @typedef {{ program: Packed | WebAssembly.Module, kernels: Packed[] }} Parts
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
    const versions = Promise.all(kernels.map(unpack)).then(compileKernels);
    return await Host.start({ program: await compile(program), kernels: await versions });
  } catch (error) {
    if (!/Content Security Policy|blocked by CSP/i.test(String(error))) throw error;
    throw new Refusal("This page's security policy forbids WebAssembly; add 'wasm-unsafe-eval' to its script-src.");
  }
}

/** @param {Packed | WebAssembly.Module} program */
async function compile(program) {
  return program instanceof WebAssembly.Module ? program : WebAssembly.compile(await unpack(program));
}

/** @param {Packed} packed */
async function unpack(packed) {
  if (packed instanceof Uint8Array) return packed;
  try {
    const { readable, writable } = new DecompressionStream('gzip');
    const writer = writable.getWriter(); // not the stream of a Blob, which asks another process for its bytes
    const written = [writer.write(packed.gzip), writer.close()];
    const [unpacked] = await Promise.all([new Response(readable).arrayBuffer(), ...written]);
    return new Uint8Array(unpacked);
  } catch {
    throw new Refusal(packed.damaged);
  }
}

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
    if (!isForbidden(error)) throw error;
    throw new Refusal("This page's security policy forbids WebAssembly; add 'wasm-unsafe-eval' to its script-src.");
  }
}

/** @param {Packed | WebAssembly.Module} program */
async function compile(program) {
  if (program instanceof WebAssembly.Module) return program;
  if (program instanceof Uint8Array) return WebAssembly.compile(program);
  // As it is unpacked: its megabytes are never put together.
  return unpacking(program, (stream) => WebAssembly.compileStreaming(new Response(stream, { headers: { 'Content-Type': 'application/wasm' } })));
}

/** @param {Packed} packed */
async function unpack(packed) {
  if (packed instanceof Uint8Array) return packed;
  return new Uint8Array(await unpacking(packed, (stream) => new Response(stream).arrayBuffer()));
}

/**
 * @template T
 * @param {Exclude<Packed, Uint8Array>} packed
 * @param {(stream: ReadableStream<Uint8Array<ArrayBuffer>>) => Promise<T>} use
 */
async function unpacking({ gzip, damaged }, use) {
  const { readable, writable } = new DecompressionStream('gzip');
  const writer = writable.getWriter(); // not the stream of a Blob, which asks another process for its bytes
  try {
    const [used] = await Promise.all([use(readable), writer.write(gzip), writer.close()]);
    return used;
  } catch (error) {
    throw isForbidden(error) ? error : new Refusal(damaged);
  }
}

/** @param {unknown} error */
const isForbidden = (error) => /Content Security Policy|blocked by CSP/i.test(String(error));

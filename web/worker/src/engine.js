// The network inside the isolate: one instance of Go's program for all requests. A request is one synchronous
// call into it, so that no two meet there and Go never waits for anything of a request that is over.
import '../build/wasm_exec.js';
import module from '../build/program.wasm';
import simd from '../build/simd.wasm';
import relaxedSIMD from '../build/simd_relaxed.wasm';
import weights from '../build/weights.js';
import { instantiateWithKernelsNow } from '../../src/engine/kernels.js';
import { decodeJPEG } from './jpeg.js';

// A program that took more is left behind with its garbage; WebAssembly's memory never shrinks.
const MOST_MEMORY = 64 << 20;

/** @type {ReturnType<typeof start> | undefined} */
let engine;
try {
  engine = start(); // before the first request, where it costs that nothing
  engine.program.warm();
} catch (error) {
  console.error('The network could not start with the isolate, and will with the first request:', error);
}

/**
 * Answers a request, or does not: undefined where the program died of it. The next call starts another.
 *
 * @param {string} method
 * @param {string} url
 * @param {string} contentType
 * @param {Uint8Array} body
 * @returns {{ status: number, headers: Record<string, string>, body: string } | undefined}
 */
export function serve(method, url, contentType, body) {
  engine ??= start();
  try {
    const { pathname, search } = new URL(url);
    const answer = call(engine.program, encoder.encode([method, pathname, search.slice(1), contentType].join('\n')), body);
    if (!engine.died) return answer;
  } catch (error) {
    console.error('The network failed:', error);
    engine.died = true;
  } finally {
    if (engine.died || engine.program.mem.buffer.byteLength > MOST_MEMORY) engine = undefined;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The other side of wasm/worker/main_js.go. Whatever Go does may move its memory, so nobody keeps a view of it.
 *
 * @param {Program} program
 * @param {Uint8Array} head
 * @param {Uint8Array} body
 */
function call({ mem, input, serve }, head, body) {
  const address = input(head.length + body.length);
  const request = new Uint8Array(mem.buffer, address, head.length + body.length);
  request.set(head);
  request.set(body, head.length);
  const answer = serve(head.length);
  if (!answer) throw new Error('it came back without an answer');
  const size = new DataView(mem.buffer).getUint32(answer, true);
  const text = decoder.decode(new Uint8Array(mem.buffer, answer + 4, size));
  const end = text.indexOf('\n\n');
  const [status, ...lines] = text.slice(0, end).split('\n');
  return { status: Number(status), headers: Object.fromEntries(lines.map((line) => line.split(': '))), body: text.slice(end + 2) };
}

/** @typedef {[file: number, size: number, width: number, height: number, rgba: number]} Addresses */

function start() {
  const go = new Go();
  let ready = false;
  go.exit = () => { engine.died = true; };
  Object.assign(go.importObject.gojs, gojs(go));
  const imports = {
    ...go.importObject,
    workers: { ready() { ready = true; } },
    gdramWorker: {
      /** @param {Addresses} of */
      decodeJPEG: (...of) => decodeJPEG(engine.program.mem, ...of),
    },
  };
  // What the program and the library in it expect to find.
  globalThis.gdramWeights = Object.fromEntries(Object.entries(weights).map(([name, file]) => [name, new Uint8Array(file)]));
  globalThis.context = { binding: {} };
  const instance = instantiateWithKernelsNow(module, imports, [simd, relaxedSIMD]);
  const engine = { program: /** @type {Program} */ (/** @type {unknown} */ (instance.exports)), died: false };
  go.run(instance); // comes back when the program waits for calls
  if (!ready) throw new Error('the program did not get as far as serving');
  return engine;
}

/**
 * Imports of Go's runtime that cannot be had as Go's glue has them: before the first request there is neither
 * clock nor randomness nor a timer, and timers of a request do not outlive it.
 *
 * @param {Go} go
 * @returns {Record<string, (sp: number) => void>}
 */
function gojs(go) {
  const { 'runtime.getRandomData': getRandomData } = go.importObject.gojs;
  return {
    // Milliseconds suffice; a clock that reads 0 would end the program.
    'runtime.nanotime1': (sp) => go.mem.setBigInt64((sp >>> 0) + 8, BigInt(Date.now() || 1) * 1_000_000n, true),
    // Go seeds its hash tables with it. Nothing here is secret.
    'runtime.getRandomData': (sp) => {
      try {
        getRandomData(sp);
      } catch {
        const address = Number(go.mem.getBigInt64((sp >>> 0) + 8, true));
        const length = Number(go.mem.getBigInt64((sp >>> 0) + 16, true));
        for (let i = 0; i < length; i++) go.mem.setUint8(address + i, Math.floor(256 * Math.random()));
      }
    },
    // The program sets no timers; its runtime does, to give memory back that WebAssembly cannot give back.
    'runtime.scheduleTimeoutEvent': (sp) => go.mem.setInt32((sp >>> 0) + 16, 1, true),
    'runtime.clearTimeoutEvent': () => {},
  };
}

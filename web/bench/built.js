// The page's engine as it was built, unpacked from web/dist, and started in Node.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { register } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { gunzipSync } from 'node:zlib';
import { modes } from './engines.js';
import { top } from './ours.js';

/** The wasm binary that the page loads. */
export function program() {
  const file = path.join(top, 'web/dist/engine.js');
  if (!existsSync(file)) throw new Error(`${file} is missing; run make page`);
  const [, text] = /^gdramDeliver\("[^"]*",\(\)=>\{\/\*(.*)\*\/\}\)\n$/s.exec(readFileSync(file, 'utf8'));
  return gunzipSync(Buffer.from(text, 'base64'));
}

/** Go's glue for its WebAssembly. */
export const wasmExec = () => path.join(execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim(), 'lib/wasm/wasm_exec.js');

/**
 * The page's engine in Node, with a model named network.
 * @param {keyof typeof modes} mode
 * @param {Uint8Array} weights
 * @returns {Promise<import('../src/engine/host.js').Host>}
 */
export async function startInNode(mode, weights) {
  const { Host, compileKernels } = await hostInNode();
  const host = await Host.start({
    program: await WebAssembly.compile(program()),
    kernels: await compileKernels(modes[mode].map((name) => readFileSync(path.join(top, 'core/kernel', `${name}.wasm`)))),
  });
  if (host.instructions !== mode) throw new Error(`the engine runs with ${host.instructions} in Node, not ${mode}`);
  host.open('network', weights);
  return host;
}

let loading;
function hostInNode() {
  loading ??= (async () => {
    setFlagsFromString('--experimental-wasm-relaxed-simd'); // Node 20 has it, but not by itself
    // The build replaces virtual:wasm_exec; Node is told here where that is.
    const hook = `export const resolve = (name, context, next) =>
      next(name === 'virtual:wasm_exec' ? ${JSON.stringify(pathToFileURL(wasmExec()).href)} : name, context);`;
    register(`data:text/javascript,${encodeURIComponent(hook)}`);
    return { ...await import('../src/engine/host.js'), ...await import('../src/engine/kernels.js') };
  })();
  return loading;
}

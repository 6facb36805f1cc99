// The same program under the library's own entry module, which starts it anew for every request. That module
// knows nothing of our imports, so they are added here: without kernels, and without a decoder but Go's.
import '../build/stock/wasm_exec.js';
import program from '../build/stock/app.wasm';
import worker from '../build/stock/worker.mjs';
import weights from '../build/weights.js';

globalThis.gdramWeights = Object.fromEntries(Object.entries(weights).map(([name, file]) => [name, new Uint8Array(file)]));

globalThis.Go = class extends globalThis.Go {
  constructor() {
    super();
    for (const { module, name } of WebAssembly.Module.imports(program)) {
      if (module.startsWith('gdram')) (this.importObject[module] ??= {})[name] = () => 0;
    }
  }
};

export default worker;

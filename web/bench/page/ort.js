// onnxruntime-web with the exported model: WebAssembly, SIMD, one thread.
import * as ort from '../node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs';
import { ofSession } from '../engines.js';

export async function start() {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = '/web/bench/node_modules/onnxruntime-web/dist/';
  return ofSession(ort, await ort.InferenceSession.create('/model.onnx', { executionProviders: ['wasm'] }));
}

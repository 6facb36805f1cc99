// onnxruntime-web with the exported model: WebAssembly, SIMD, one thread.
import * as ort from '../node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs';

export async function start() {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = '/web/bench/node_modules/onnxruntime-web/dist/';
  const session = await ort.InferenceSession.create('/model.onnx', { executionProviders: ['wasm'] });
  return async ({ colours }) => {
    const planes = new Float32Array(colours.length); // [3][128][128]
    for (let i = 0; i < colours.length; i++) planes[i % 3 * 128 * 128 + Math.floor(i / 3)] = colours[i] / 255;
    const image = new ort.Tensor('float32', planes, [1, 3, 128, 128]);
    const before = performance.now();
    const { logits } = await session.run({ image }, ['logits']);
    return { logits: logits.data, time: performance.now() - before };
  };
}

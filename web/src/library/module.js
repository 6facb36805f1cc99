import { create } from './library.js';

// Spelled out, so that bundlers see them.
export const { initialize, classify } = create({
  wasm: () => new URL('./gdram.wasm', import.meta.url),
  weights: () => new URL('./cifar10.safetensors', import.meta.url),
});

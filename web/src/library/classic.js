import { create } from './library.js';

const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
const beside = (/** @type {string} */ name) => new URL(name, script?.src || location.href);

export const { initialize, classify } = create({
  wasm: () => beside('gdram.wasm'),
  weights: () => beside('cifar10.safetensors'),
});

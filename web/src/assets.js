import { Refusal } from './engine/host.js';

/** @type {Map<string, string>} */
const delivered = new Map();

globalThis.gdramDeliver = (name, text) => {
  delivered.set(name, text);
};

/**
 * Loads web/dist/NAME.js, a classic script that hands over a text: the one way to load anything
 * that works from the file system too. Nothing is kept here.
 *
 * @param {string} name
 * @returns {Promise<string>}
 */
export function loadText(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = `web/dist/${encodeURIComponent(name)}.js`;
    const done = () => {
      script.remove();
      const text = delivered.get(name);
      delivered.delete(name);
      if (text === undefined) reject(new Refusal(`The file web/dist/${name}.js is missing or damaged; run make again and reload.`));
      else resolve(text);
    };
    script.onload = done;
    script.onerror = done;
    document.head.append(script);
  });
}

/**
 * Loads what web/build packed: gzip, then base64.
 *
 * @param {string} name
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function loadBytes(name) {
  const packed = new Blob([fromBase64(await loadText(name))]);
  try {
    const unpacked = new Response(packed.stream().pipeThrough(new DecompressionStream('gzip')));
    return new Uint8Array(await unpacked.arrayBuffer());
  } catch {
    throw new Refusal(`The file web/dist/${name}.js is damaged; run make again and reload.`);
  }
}

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

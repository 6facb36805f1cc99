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
    script.src = `web/dist/${name}.js`;
    const done = () => {
      script.remove();
      const text = delivered.get(name);
      delivered.delete(name);
      if (text === undefined) reject(new Refusal(`Could not load ${script.getAttribute('src')}; run make again and reload.`));
      else resolve(text);
    };
    script.onload = done;
    script.onerror = done;
    document.head.append(script);
  });
}

/** @param {string} name */
export async function loadBytes(name) {
  return fromBase64(await loadText(name));
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

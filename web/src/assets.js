import { fromBase64, setFromBase64 } from './bytes.js';
import { Refusal } from './engine/host.js';

/** @type {Map<string, string>} */
const delivered = new Map();

// Text comes as a comment in a function, which says it again: of all that a script can hold, nothing is read faster.
globalThis.gdramDeliver = (name, comment) => {
  const text = String(comment);
  delivered.set(name, text.slice(text.indexOf('/*') + 2, text.lastIndexOf('*/')));
};

/** When what is loaded is there to be asked for: in the page of a single file, whose script is in it, when all of that is read. */
const read = new Promise((resolve) => {
  const { src } = /** @type {HTMLScriptElement} */ (document.currentScript);
  if (src || document.readyState !== 'loading') resolve(undefined);
  else document.addEventListener('DOMContentLoaded', resolve);
});

/**
 * Loads a text that web/build made. In the page of a single file it is a block of data further down;
 * else it is web/dist/NAME.js, a classic script that hands it over: the one way to load anything that works from
 * the file system too. Nothing is kept here.
 *
 * @param {string} name
 * @returns {Promise<string>}
 */
export async function loadText(name) {
  await read;
  const block = document.getElementById(`data-${name}`);
  if (block) return block.textContent ?? '';
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
 * @returns {Promise<import('./engine/start.js').Packed>}
 */
export async function loadPacked(name) {
  const damaged = `The file web/dist/${name}.js is damaged; run make again and reload.`;
  const text = await loadText(name);
  try {
    return { gzip: fromBase64(text), damaged };
  } catch {
    throw new Refusal(damaged);
  }
}

/**
 * Loads weights, which come in parts, so that one sees them come: base64 alone, for float16 hardly shrinks, and whoever
 * waits would wait for unpacking.
 *
 * @param {string} name
 * @param {{ parts: number, bytes: number }} card
 * @param {(share: number) => void} progress called with 0..1
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function loadWeights(name, { parts, bytes }, progress) {
  const damaged = `The files web/dist/weights-${name}-1.js to weights-${name}-${parts}.js are damaged; run make again and reload.`;
  const whole = new Uint8Array(bytes);
  const length = Math.ceil(bytes / parts); // of every part but the last
  let come = 0;
  progress(0);
  await Promise.all(Array.from({ length: parts }, async (_, i) => {
    const text = await loadText(`weights-${name}-${i + 1}`);
    if (!setFromBase64(whole.subarray(i * length, (i + 1) * length), text)) throw new Refusal(damaged);
    progress(++come / parts);
  }));
  return whole;
}

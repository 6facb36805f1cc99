import { fromBase64 } from './bytes.js';
import { Refusal } from './engine/host.js';

/** @type {Map<string, string>} */
const delivered = new Map();

globalThis.gdramDeliver = (name, text) => {
  delivered.set(name, text);
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
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function loadBytes(name) {
  return unpack([await loadText(name)], `The file web/dist/${name}.js is damaged; run make again and reload.`);
}

/**
 * The same for what was cut into parts, NAME-1 and so on, so that one sees it come.
 *
 * @param {string} name
 * @param {number} count
 * @param {(share: number) => void} progress called with 0..1
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function loadParts(name, count, progress) {
  let come = 0;
  progress(0);
  const parts = await Promise.all(Array.from({ length: count }, async (_, i) => {
    const part = await loadText(`${name}-${i + 1}`);
    progress(++come / count);
    return part;
  }));
  return unpack(parts, `The files web/dist/${name}-1.js to ${name}-${count}.js are damaged; run make again and reload.`);
}

/** Settles when nothing is being unpacked. @type {Promise<unknown>} */
let unpacking = Promise.resolve();

/**
 * One after the other: what comes first, the engine, starts while the larger rest is unpacked.
 *
 * @param {string[]} parts base64, together gzip
 * @param {string} complaint if they are damaged
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
function unpack(parts, complaint) {
  const unpacked = unpacking.then(() => inflate(parts, complaint));
  unpacking = unpacked.catch(() => {});
  return unpacked;
}

/** @param {string[]} parts @param {string} complaint */
async function inflate(parts, complaint) {
  try {
    const unpacked = new Response(new Blob(parts.map(fromBase64)).stream().pipeThrough(new DecompressionStream('gzip')));
    return new Uint8Array(await unpacked.arrayBuffer());
  } catch {
    throw new Refusal(complaint);
  }
}

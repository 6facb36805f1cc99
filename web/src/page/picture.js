import { decode } from '../engine/decode.js';
import { Refusal } from '../engine/host.js';

/** @typedef {import('../engine/host.js').Picture} Picture */

const MAX_BYTES = 64 << 20;
const MAX_PIXELS = 64e6; // 256 MB while it is decoded
const MAX_SIDE = 2048; // 16 times what the network sees: more would only cost time
const KINDS = 'PNG, JPEG, GIF, WebP or BMP';

/**
 * Decodes a picture with the browser's own decoders, upright, to plain RGBA.
 *
 * @param {Blob} blob
 * @param {string} name for sentences
 * @param {typeof decode} elsewhere decodes on another thread, if there is one
 * @returns {Promise<Picture>}
 */
export async function readPicture(blob, name, elsewhere) {
  if (blob.size === 0) throw new Refusal(`“${name}” is empty, 0 bytes; open a ${KINDS} picture.`);
  if (blob.size > MAX_BYTES) {
    throw new Refusal(`“${name}” has ${Math.round(blob.size / 1e6)} MB, more than the ${Math.round(MAX_BYTES / 1e6)} MB this page takes; save it smaller and open that.`);
  }
  const unreadable = new Refusal(`“${name}” cannot be read as a picture, or is damaged; open a ${KINDS} picture.`);
  const size = await measure(blob);
  if (!size) throw unreadable;
  if (size.width * size.height > MAX_PIXELS) {
    throw new Refusal(`“${name}” is ${size.width} × ${size.height} pixels, more than the ${MAX_PIXELS / 1e6} million this page takes; save it smaller and open that.`);
  }
  const smaller = Math.min(1, MAX_SIDE / Math.max(size.width, size.height));
  try {
    return await (smaller < 1
      ? elsewhere(blob, Math.max(1, Math.round(size.width * smaller)), Math.max(1, Math.round(size.height * smaller)))
      : decode(blob));
  } catch (error) {
    throw error instanceof Refusal ? error : unreadable;
  }
}

/**
 * Width and height as told by the file's head: the browser decodes the pixels only when they are
 * drawn, so a small file that unfolds to gigabytes is caught here.
 *
 * @param {Blob} blob
 * @returns {Promise<{ width: number, height: number } | undefined>}
 */
function measure(blob) {
  return new Promise((resolve) => {
    const address = URL.createObjectURL(blob);
    const image = new Image();
    /** @param {{ width: number, height: number } | undefined} size */
    const done = (size) => {
      URL.revokeObjectURL(address);
      resolve(size);
    };
    image.onload = () => done({ width: image.naturalWidth, height: image.naturalHeight });
    image.onerror = () => done(undefined);
    image.src = address;
  });
}

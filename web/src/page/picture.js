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
 * @returns {Promise<Picture>}
 */
export async function readPicture(blob, name) {
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
  // A larger one is made smaller while it is decoded, off the main thread.
  const smaller = Math.min(1, MAX_SIDE / Math.max(size.width, size.height));
  let bitmap;
  try {
    // The bytes as they are in the file, as the command line sees them: no colour profile.
    bitmap = await createImageBitmap(blob, {
      imageOrientation: 'from-image',
      premultiplyAlpha: 'none',
      colorSpaceConversion: 'none',
      ...(smaller < 1 ? { resizeWidth: Math.max(1, Math.round(size.width * smaller)), resizeHeight: Math.max(1, Math.round(size.height * smaller)), resizeQuality: 'high' } : {}),
    });
  } catch {
    throw unreadable;
  }
  const picture = pixelsOf(bitmap, bitmap.width, bitmap.height);
  bitmap.close();
  return picture;
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

/**
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @returns {Picture}
 */
export function pixelsOf(source, width, height) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
  context.drawImage(source, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return { rgba: new Uint8Array(data.buffer), width, height };
}

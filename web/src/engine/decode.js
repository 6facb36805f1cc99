/** @typedef {import('./host.js').Picture} Picture */

/**
 * Decodes a picture, upright and scaled to width x height, where both are given. It runs on either thread: what is
 * large takes a tenth of a second for each step.
 *
 * @param {Blob} blob
 * @param {number} [width]
 * @param {number} [height]
 * @returns {Promise<Picture>} rejected if the browser cannot read it
 */
export async function decode(blob, width, height) {
  const bitmap = await bitmapOf(blob, width, height);
  const picture = pixelsOf(bitmap, bitmap.width, bitmap.height);
  bitmap.close();
  return picture;
}

/**
 * The same as a bitmap, which is to be closed.
 *
 * @param {Blob} blob
 * @param {number} [width]
 * @param {number} [height]
 */
export function bitmapOf(blob, width, height) {
  // The bytes as they are in the file, as the command line sees them: no colour profile.
  return createImageBitmap(blob, {
    imageOrientation: 'from-image',
    premultiplyAlpha: 'none',
    colorSpaceConversion: 'none',
    ...(width && height ? { resizeWidth: width, resizeHeight: height, resizeQuality: 'high' } : {}),
  });
}

/**
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @returns {Picture}
 */
export function pixelsOf(source, width, height) {
  const canvas = globalThis.document ? Object.assign(document.createElement('canvas'), { width, height }) : new OffscreenCanvas(width, height);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
  context.drawImage(source, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return { rgba: new Uint8Array(data.buffer), width, height };
}

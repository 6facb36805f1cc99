import { Refusal } from '../engine/host.js';
import { encodeGIF } from './gif.js';
import { paintScene, sceneHeight } from './scene.js';

/** @typedef {import('../engine/report.js').Report} Report */
/** @typedef {import('./answer.js').Context} Context */

const PICTURE_WIDTH = 1024;
const FILM_WIDTH = 384; // a GIF of more takes megabytes
const PACE = 700; // milliseconds a look
const END = 2400; // and for the last one

/** @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // not offered, or not allowed: the older way
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'unseen';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    if (!done) throw new Refusal('The browser does not let this page write to the clipboard; allow it and try again.');
  }
}

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60e3);
}

/** @param {number} width */
function sheet(width) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = sceneHeight(width);
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
}

/** Saves what the page shows now. @param {string} name @param {Report} report @param {number} chosen @param {Context} context */
export async function savePicture(name, report, chosen, context) {
  const on = sheet(PICTURE_WIDTH);
  paintScene(on, PICTURE_WIDTH, report, chosen, context);
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => on.canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new Refusal('The browser could not make the picture; close other pages and try again.');
  save(blob, `${name}.png`);
}

/** Saves all looks, one after the other. @param {string} name @param {Report} report @param {Context} context */
export function saveFilm(name, report, context) {
  const on = sheet(FILM_WIDTH);
  const { width, height } = on.canvas;
  const frames = report.looks.map((_, i) => {
    paintScene(on, FILM_WIDTH, report, i, context);
    return on.getImageData(0, 0, width, height).data;
  });
  save(encodeGIF(frames, width, height, frames.map((_, i) => (i < frames.length - 1 ? PACE : END))), `${name}.gif`);
}

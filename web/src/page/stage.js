import { GLIMPSE_SIZE, IMAGE_SIZE, SCALES } from '../engine/report.js';
import { byId, shape } from './dom.js';

/** @typedef {import('../engine/report.js').Report} Report */

const VIEW = 512; // width of the overlay's view box
const MOVE_SCALE = 0.75; // a drawn move is scaled by this before it is added to the place

const canvas = /** @type {HTMLCanvasElement} */ (byId('picture'));
const overlay = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (byId('overlay')));

/** From -1..1 to the overlay. @param {number} place */
const at = (place) => ((place + 1) / 2) * VIEW;

/** Half the width of the patch of a scale, in the overlay. @param {number} scale */
const reach = (scale) => ((GLIMPSE_SIZE / (IMAGE_SIZE - 1)) * 2 ** scale * VIEW) / 2;

/** How much of the picture's width the patch of a scale covers. @param {number} scale */
export const share = (scale) => reach(scale) * 2 / VIEW;

/** Shows the picture as the network got it. @param {Uint8Array} rgb @param {string} description */
export function showPicture(rgb, description) {
  paint(canvas, IMAGE_SIZE, (pixel) => 3 * pixel, rgb);
  canvas.setAttribute('aria-label', description);
}

/**
 * Paints a square of pixels.
 *
 * @param {HTMLCanvasElement} to
 * @param {number} size pixels a side
 * @param {(pixel: number) => number} where a pixel's three bytes lie
 * @param {Uint8Array} rgb
 */
export function paint(to, size, where, rgb) {
  const image = new ImageData(size, size);
  for (let pixel = 0; pixel < size * size; pixel++) {
    const from = where(pixel);
    image.data.set([rgb[from], rgb[from + 1], rgb[from + 2], 255], 4 * pixel);
  }
  to.getContext('2d')?.putImageData(image, 0, 0);
}

/**
 * Draws the looks up to the chosen one, and that one's patches.
 *
 * @param {Report} report
 * @param {number} chosen index of a look
 * @param {(look: number) => void} choose called when a look is clicked
 */
export function showLooks(report, chosen, choose) {
  const { looks } = report;
  const path = looks.slice(0, chosen + 1).map(({ x, y }) => `${at(x)},${at(y)}`).join(' ');
  const { x, y, sigmaX, sigmaY } = looks[chosen];
  // The first place is drawn in the picture, every later one as a move from the place before.
  const spread = (chosen === 0 ? 1 : MOVE_SCALE) * VIEW / 2;

  overlay.replaceChildren(
    shape('ellipse', { class: 'spread', cx: at(x), cy: at(y), rx: sigmaX * spread, ry: sigmaY * spread }),
    ...Array.from({ length: SCALES }, (_, scale) => {
      const half = reach(scale);
      const box = { x: at(x) - half, y: at(y) - half, width: 2 * half, height: 2 * half, rx: 3 };
      return shape('g', { class: `patch scale${scale}` }, shape('rect', { class: 'casing', ...box }), shape('rect', box));
    }),
    shape('polyline', { class: 'path casing', points: path }),
    shape('polyline', { class: 'path', points: path }),
    ...looks.map((look, i) => marker(look, i, chosen, choose)),
  );
  // The chosen one lies on top where looks crowd.
  const top = overlay.querySelector('.marker.chosen');
  if (top) overlay.append(top);
}

/**
 * @param {{ x: number, y: number }} look
 * @param {number} i
 * @param {number} chosen
 * @param {(look: number) => void} choose
 */
function marker({ x, y }, i, chosen, choose) {
  const state = i === chosen ? 'chosen' : i < chosen ? 'past' : 'ahead';
  const made = shape('g', { class: `marker ${state}`, transform: `translate(${at(x)} ${at(y)})` },
    shape('circle', { r: i === chosen ? 17 : 13 }),
    shape('text', { dy: '.36em' }, String(i + 1)));
  made.addEventListener('click', () => choose(i));
  return made;
}

export function clearLooks() {
  overlay.replaceChildren();
}

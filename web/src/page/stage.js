import { GLIMPSE_SIZE, IMAGE_SIZE, SCALES } from '../engine/report.js';
import { byId, shape } from './dom.js';

/** @typedef {import('../engine/report.js').Report} Report */

export const VIEW = 512; // width of the overlay's view box
const APART = 30; // distance that numbers keep, in the overlay
const MOVE_SCALE = 0.75; // a drawn move is scaled by this before it is added to the place

const canvas = /** @type {HTMLCanvasElement} */ (byId('picture'));
const overlay = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (byId('overlay')));

/** From -1..1 to the overlay. @param {number} place */
export const at = (place) => ((place + 1) / 2) * VIEW;

/** Half the width of the patch of a scale, in the overlay. @param {number} scale */
export const reach = (scale) => ((GLIMPSE_SIZE / (IMAGE_SIZE - 1)) * 2 ** scale * VIEW) / 2;

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
  image.data.fill(255);
  for (let pixel = 0; pixel < size * size; pixel++) {
    for (let colour = 0; colour < 3; colour++) image.data[4 * pixel + colour] = rgb[where(pixel) + colour];
  }
  to.getContext('2d')?.putImageData(image, 0, 0);
}

/** The Gaussian that the next place comes from, in the overlay: one standard deviation.
 * @param {Report} report @param {number} chosen @param {number} noise what the draw multiplies it with */
export function spread({ looks }, chosen, noise) {
  const next = looks[chosen + 1];
  if (!next) return undefined;
  const radius = (/** @type {number} */ sigma) => (sigma * noise * MOVE_SCALE * VIEW) / 2;
  return { cx: at(next.meanX), cy: at(next.meanY), rx: radius(next.sigmaX), ry: radius(next.sigmaY) };
}

/** @param {{ x: number, y: number }[]} looks */
const line = (looks) => looks.map(({ x, y }) => `${at(x)},${at(y)}`).join(' ');

/**
 * Draws the looks up to the chosen one, and that one's patches.
 *
 * @param {Report} report
 * @param {number} chosen index of a look
 * @param {object} more
 * @param {number} more.noise what the draws multiply the policy's standard deviation with
 * @param {number[]} more.pins looks that the person chose
 * @param {(look: number) => void} more.choose called when a look is clicked
 */
export function showLooks(report, chosen, { noise, pins, choose }) {
  const { looks, others } = report;
  const path = line(looks.slice(0, chosen + 1));
  const { x, y } = looks[chosen];
  const ellipse = spread(report, chosen, noise);

  overlay.replaceChildren(
    ...others.map((other) => shape('polyline', { class: 'path other', points: line(other.slice(0, chosen + 1)) })),
    ...others.map((other) => shape('circle', { class: 'other', cx: at(other[chosen].x), cy: at(other[chosen].y), r: 4 })),
    ...Array.from({ length: SCALES }, (_, scale) => {
      const half = reach(scale);
      const box = { x: at(x) - half, y: at(y) - half, width: 2 * half, height: 2 * half, rx: 3 };
      return shape('g', { class: `patch scale${scale}` }, shape('rect', { class: 'casing', ...box }), shape('rect', box));
    }),
    ...(ellipse ? [shape('ellipse', { class: 'spread casing', ...ellipse }), shape('ellipse', { class: 'spread', ...ellipse })] : []),
    shape('polyline', { class: 'path casing', points: path }),
    shape('polyline', { class: 'path', points: path }),
    ...numberPlaces(looks, chosen).map((place, i) => marker(looks[i], place, i, chosen, pins.includes(i), choose)),
  );
  // The chosen one lies on top where looks crowd.
  const top = overlay.querySelector('.marker.chosen');
  if (top) overlay.append(top);
}

/**
 * Where to write the numbers: at the looks, but pushed apart where looks crowd, and the chosen one's at the
 * corner of its finest square, which it would hide.
 *
 * @param {{ x: number, y: number }[]} looks
 * @param {number} chosen
 */
export function numberPlaces(looks, chosen) {
  const places = looks.map(({ x, y }) => ({ x: at(x), y: at(y) }));
  const inside = (/** @type {number} */ v) => Math.min(VIEW - APART / 2, Math.max(APART / 2, v));
  for (let round = 0; round < 60; round++) {
    places.forEach((a, i) => {
      places.slice(0, i).forEach((b, j) => {
        // Looks at the very same place part in directions of their own.
        const dx = a.x - b.x || Math.cos(i - j) * 0.01;
        const dy = a.y - b.y || Math.sin(i - j) * 0.01;
        const distance = Math.hypot(dx, dy);
        const push = (Math.max(0, APART - distance) / 2 / distance);
        a.x = inside(a.x + dx * push);
        a.y = inside(a.y + dy * push);
        b.x = inside(b.x - dx * push);
        b.y = inside(b.y - dy * push);
      });
    });
  }
  places[chosen] = corner(looks[chosen]);
  return places;
}

/** @param {{ x: number, y: number }} look */
function corner({ x, y }) {
  const out = reach(0) + 12;
  return { x: at(x) + (x < 0.8 ? out : -out), y: at(y) + (y > -0.8 ? -out : out) };
}

/**
 * @param {{ x: number, y: number }} look
 * @param {{ x: number, y: number }} place of its number
 * @param {number} i
 * @param {number} chosen
 * @param {boolean} own whether the person chose it
 * @param {(look: number) => void} choose
 */
function marker(look, place, i, chosen, own, choose) {
  const state = `${i === chosen ? 'chosen' : i < chosen ? 'past' : 'ahead'}${own ? ' own' : ''}`;
  const made = shape('g', { class: `marker ${state}` },
    shape('line', { x1: at(look.x), y1: at(look.y), x2: place.x, y2: place.y }),
    shape('circle', { class: 'spot', cx: at(look.x), cy: at(look.y), r: 4 }),
    shape('g', { transform: `translate(${place.x} ${place.y})` },
      shape('circle', { r: i === chosen ? 16 : 13 }),
      shape('text', { dy: '.36em' }, String(i + 1))));
  made.addEventListener('click', () => choose(i));
  return made;
}

const here = /** @type {HTMLButtonElement} */ (byId('here'));
const STRIDE = 1 / 16; // of the cross, for one press of an arrow key

/**
 * Lets the person choose a place in the picture: a click, or the cross that arrow keys move.
 * @param {(x: number, y: number) => void} onPlace called with -1..1
 */
export function listenForPlaces(onPlace) {
  let cross = { x: 0, y: 0 };
  const show = () => {
    here.style.setProperty('--x', `${(50 * (cross.x + 1)).toFixed(2)}%`);
    here.style.setProperty('--y', `${(50 * (cross.y + 1)).toFixed(2)}%`);
  };
  here.addEventListener('click', (event) => {
    if (event.detail > 0) { // with a pointer, not with a key
      const box = here.getBoundingClientRect();
      cross = { x: (2 * (event.clientX - box.left)) / box.width - 1, y: (2 * (event.clientY - box.top)) / box.height - 1 };
      show();
    }
    onPlace(cross.x, cross.y);
  });
  here.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    const inside = (/** @type {number} */ v) => Math.min(1, Math.max(-1, v));
    cross = { x: inside(cross.x + STRIDE * move[0]), y: inside(cross.y + STRIDE * move[1]) };
    show();
  });
  show();
}

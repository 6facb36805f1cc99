import { ranking } from '../engine/result.js';
import { IMAGE_SIZE, SCALES, STEPS } from '../engine/report.js';
import { percent, readable } from './answer.js';
import { VIEW, at, numberPlaces, reach, spread } from './stage.js';

/** @typedef {import('../engine/report.js').Report} Report */

const CAPTION = 96; // below the picture, in the overlay's units
const FONT = 'system-ui, sans-serif';
const MARK = '#ff8a3d';
const CASING = 'rgb(0 0 0 / .6)';

/** How high a scene of a width is. @param {number} width */
export const sceneHeight = (width) => Math.round((width * (VIEW + CAPTION)) / VIEW);

/**
 * Paints what the page shows at a look, with the answer below it: what one keeps or passes on.
 *
 * @param {CanvasRenderingContext2D} to
 * @param {number} width
 * @param {Report} report
 * @param {number} chosen
 * @param {import('./answer.js').Context} context
 */
export function paintScene(to, width, report, chosen, { labels, noise }) {
  to.setTransform(width / VIEW, 0, 0, width / VIEW, 0, 0);
  to.imageSmoothingQuality = 'high';
  to.drawImage(pictureOf(report), 0, 0, VIEW, VIEW);
  to.save();
  to.beginPath();
  to.rect(0, 0, VIEW, VIEW);
  to.clip();
  paintLooks(to, report, chosen, noise);
  to.restore();
  paintCaption(to, report, chosen, labels);
}

/** @param {Report} report */
function pictureOf({ picture }) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = IMAGE_SIZE;
  const image = new ImageData(IMAGE_SIZE, IMAGE_SIZE);
  image.data.fill(255);
  for (let i = 0; i < IMAGE_SIZE * IMAGE_SIZE; i++) image.data.set(picture.subarray(3 * i, 3 * i + 3), 4 * i);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return canvas;
}

/** @param {CanvasRenderingContext2D} to @param {Report} report @param {number} chosen @param {number} noise */
function paintLooks(to, report, chosen, noise) {
  const { looks, others } = report;
  to.lineJoin = to.lineCap = 'round';
  /** @param {string} style @param {number} width */
  const stroke = (style, width) => {
    to.strokeStyle = style;
    to.lineWidth = width;
    to.stroke();
  };
  /** @param {{ x: number, y: number }[]} path */
  const trace = (path) => {
    to.beginPath();
    for (const { x, y } of path) to.lineTo(at(x), at(y));
  };
  to.globalAlpha = 0.55;
  for (const other of others) {
    trace(other.slice(0, chosen + 1));
    stroke('#9fd3ff', 1.5);
  }
  for (let scale = SCALES - 1; scale >= 0; scale--) {
    const half = reach(scale);
    to.globalAlpha = [1, 0.8, 0.62, 0.48][scale];
    to.beginPath();
    to.roundRect(at(looks[chosen].x) - half, at(looks[chosen].y) - half, 2 * half, 2 * half, 3);
    stroke(CASING, 5);
    stroke(MARK, 2.5);
  }
  to.globalAlpha = 1;
  const next = spread(report, chosen, noise);
  if (next) {
    to.setLineDash([4, 7]);
    to.beginPath();
    to.ellipse(next.cx, next.cy, next.rx, next.ry, 0, 0, 2 * Math.PI);
    stroke(CASING, 4);
    stroke('#fff', 2);
    to.setLineDash([]);
  }
  trace(looks.slice(0, chosen + 1));
  stroke(CASING, 6);
  stroke('#fff', 3);

  const places = numberPlaces(looks, chosen);
  to.textAlign = 'center';
  to.textBaseline = 'middle';
  for (let i = 0; i <= chosen; i++) {
    const now = i === chosen;
    if (!now) {
      trace([looks[i]]);
      to.lineTo(places[i].x, places[i].y);
      stroke('#fff', 1.5);
    }
    to.beginPath();
    to.arc(places[i].x, places[i].y, now ? 16 : 13, 0, 2 * Math.PI);
    to.fillStyle = now ? MARK : '#fff';
    to.fill();
    stroke(CASING, 2);
    to.fillStyle = '#1f1d1a';
    to.font = `600 ${now ? 20 : 17}px ${FONT}`;
    to.fillText(String(i + 1), places[i].x, places[i].y + 1);
  }
}

/** @param {CanvasRenderingContext2D} to @param {Report} report @param {number} chosen @param {string[]} labels */
function paintCaption(to, { looks, others }, chosen, labels) {
  const { probabilities } = looks[chosen];
  const [best] = ranking(probabilities, 1);
  to.fillStyle = '#171614';
  to.fillRect(0, VIEW, VIEW, CAPTION);
  to.textAlign = 'left';
  to.textBaseline = 'alphabetic';
  to.fillStyle = '#ebe7e0';
  to.font = `650 30px ${FONT}`;
  to.fillText(readable(labels[best]), 20, VIEW + 44, 340);
  to.fillStyle = '#aaa398';
  to.font = `18px ${FONT}`;
  to.fillText(`${percent(probabilities[best])} after ${chosen + 1} of ${looks.length} look${looks.length === 1 ? '' : 's'}${others.length > 0 ? `, ${others.length + 1} paths` : ''}`, 20, VIEW + 74, 340);
  // How that class came up.
  for (let i = 0; i < STEPS; i++) {
    const share = i < looks.length ? looks[i].probabilities[best] : 0;
    const height = Math.max(2, 58 * share);
    to.fillStyle = i === chosen ? '#ff9a5c' : i < chosen ? '#aaa398' : '#57524a';
    to.fillRect(VIEW - 132 + 14 * i, VIEW + 76 - height, 11, height);
  }
}

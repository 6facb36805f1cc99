import { pixelsOf } from '../engine/decode.js';
import { byId, element } from './dom.js';

/** @typedef {import('../engine/host.js').Picture} Picture */

// As MNIST was made: the ink scaled to fit 20x20, its centre of mass in the middle of 28x28,
// and that, as in cluttered MNIST, on a field of 40x40.
const INK = 20;
const FIELD = 40;
const PEN = 24; // of 280: about 2 of 20 pixels, as thick as MNIST's
const STEP = 10; // of 280: one press of an arrow key

const paper = /** @type {HTMLCanvasElement} */ (byId('paper'));
const field = /** @type {HTMLCanvasElement} */ (byId('field'));

/** @param {HTMLCanvasElement} canvas @returns {CanvasRenderingContext2D} its one context, whenever it is asked for */
const contextOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));

/** Starts the drawing pad. @param {(picture: Picture) => void} onDraw called after every stroke's part */
export function startPad(onDraw) {
  const context = contextOf(paper);
  context.lineWidth = PEN;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.strokeStyle = context.fillStyle = '#fff';
  let pen = { x: paper.width / 2, y: paper.height / 2 };

  // The keyboard's pen lies on the paper, not below its ink; what it does is said.
  const marker = element('i', { class: 'pen' });
  const state = element('p', { class: 'state', role: 'status' });
  paper.after(marker);
  byId('pad-help').after(state);
  let down = false;
  /** @param {boolean} to */
  const press = (to) => {
    if (to !== down) state.textContent = to ? 'Pen down.' : 'Pen up.';
    down = to;
    marker.classList.toggle('down', to);
  };
  const cursor = () => Object.assign(marker.style, { left: `${pen.x}px`, top: `${pen.y}px` });
  const draw = () => {
    if (writeField()) onDraw(pixelsOf(field, FIELD, FIELD));
  };
  const dot = () => { // a line of no length draws nothing
    context.beginPath();
    context.arc(pen.x, pen.y, PEN / 2, 0, 2 * Math.PI);
    context.fill();
    draw();
  };
  /** @param {{ x: number, y: number }} to */
  const line = (to) => {
    context.beginPath();
    context.moveTo(pen.x, pen.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    pen = to;
    draw();
  };
  /** @param {PointerEvent} event */
  const place = (event) => {
    const box = paper.getBoundingClientRect();
    return { x: ((event.clientX - box.left) / box.width) * paper.width, y: ((event.clientY - box.top) / box.height) * paper.height };
  };

  paper.addEventListener('pointerdown', (event) => {
    paper.setPointerCapture(event.pointerId);
    press(false);
    pen = place(event);
    dot();
  });
  paper.addEventListener('pointermove', (event) => {
    if (paper.hasPointerCapture(event.pointerId)) line(place(event));
  });

  paper.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === ' ') {
      event.preventDefault();
      press(!down);
      if (down) dot();
    } else if (move) {
      event.preventDefault();
      const to = {
        x: Math.min(paper.width, Math.max(0, pen.x + STEP * move[0])),
        y: Math.min(paper.height, Math.max(0, pen.y + STEP * move[1])),
      };
      if (down) line(to);
      else pen = to;
    }
    cursor();
  });
  paper.addEventListener('blur', () => press(false));
  byId('clear').addEventListener('click', () => {
    context.clearRect(0, 0, paper.width, paper.height);
    writeField();
    pen = { x: paper.width / 2, y: paper.height / 2 };
    cursor();
  });
  writeField();
  cursor();
}

/**
 * Writes the drawing as a picture of the training set on the field: white on black, centred and scaled.
 * @returns {boolean} whether anything is drawn
 */
function writeField() {
  const [context, onField] = [contextOf(paper), contextOf(field)];
  onField.setTransform(1, 0, 0, 1, 0, 0);
  onField.fillRect(0, 0, FIELD, FIELD);
  const { width, height } = paper;
  const { data } = context.getImageData(0, 0, width, height);
  let left = width, right = 0, top = height, bottom = 0, mass = 0, massX = 0, massY = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const ink = data[4 * (y * width + x) + 3];
      if (ink === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
      mass += ink;
      massX += ink * (x + 0.5);
      massY += ink * (y + 0.5);
    }
  }
  if (mass === 0) return false;
  const scale = INK / Math.max(right - left, bottom - top);
  onField.imageSmoothingQuality = 'high';
  onField.translate(FIELD / 2 - (massX / mass) * scale, FIELD / 2 - (massY / mass) * scale);
  onField.scale(scale, scale);
  onField.drawImage(paper, 0, 0);
  return true;
}

// Writes animated GIFs. A browser can write PNG and JPEG but no moving pictures, and the page is built without libraries.

const COLOURS = 256;
const BINS = 32; // a colour of the palette stands for cells of a cube with so many a side
const DITHER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5]; // Bayer's 4x4

/**
 * @param {Uint8ClampedArray[]} frames [height][width][4]; what is transparent is not
 * @param {number} width
 * @param {number} height
 * @param {number[]} delays of the frames, milliseconds
 */
export function encodeGIF(frames, width, height, delays) {
  const cells = frames.map((frame) => toCells(frame, width));
  const { palette, index } = quantize(cells);
  /** @type {number[]} */
  const head = [...ascii('GIF89a'), ...short(width), ...short(height), 0xf7, 0, 0, ...palette,
    0x21, 0xff, 11, ...ascii('NETSCAPE2.0'), 3, 1, 0, 0, 0]; // again and again
  const parts = [new Uint8Array(head)];
  cells.forEach((frame, i) => {
    parts.push(new Uint8Array([0x21, 0xf9, 4, 4, ...short(Math.round(delays[i] / 10)), 0, 0, 0x2c, 0, 0, 0, 0, ...short(width), ...short(height), 0]));
    parts.push(compress(frame, index));
  });
  parts.push(new Uint8Array([0x3b]));
  return new Blob(parts, { type: 'image/gif' });
}

/** @param {string} text */
const ascii = (text) => [...text].map((letter) => letter.charCodeAt(0));

/** @param {number} value */
const short = (value) => [value & 255, value >> 8];

/** The cell of the colour cube of every pixel, dithered, so that 32 levels show no steps. @param {Uint8ClampedArray} frame @param {number} width */
function toCells(frame, width) {
  const cells = new Uint16Array(frame.length / 4);
  const step = 256 / BINS;
  for (let i = 0; i < cells.length; i++) {
    const x = i % width;
    const y = (i - x) / width;
    const more = ((DITHER[4 * (y & 3) + (x & 3)] - 7.5) * step) / 16;
    let cell = 0;
    for (let c = 0; c < 3; c++) {
      cell = cell * BINS + Math.min(BINS - 1, Math.max(0, Math.floor((frame[4 * i + c] + more) / step)));
    }
    cells[i] = cell;
  }
  return cells;
}

/**
 * Cuts the cells that occur into as many boxes as there are colours, always the box with the most pixels times its length, at the median.
 * @param {Uint16Array[]} frames
 */
function quantize(frames) {
  const counts = new Uint32Array(BINS ** 3);
  for (const cells of frames) for (const cell of cells) counts[cell]++;
  const level = (/** @type {number} */ cell, /** @type {number} */ c) => Math.floor(cell / BINS ** (2 - c)) % BINS;
  const box = (/** @type {number[]} */ cells) => {
    let longest = 0, length = 0;
    for (let c = 0; c < 3; c++) {
      const levels = cells.map((cell) => level(cell, c));
      const extent = Math.max(...levels) - Math.min(...levels);
      if (extent > length) [longest, length] = [c, extent];
    }
    return { cells, axis: longest, worth: length * cells.reduce((sum, cell) => sum + counts[cell], 0) };
  };
  let boxes = [box([...counts.keys()].filter((cell) => counts[cell] > 0))];
  while (boxes.length < COLOURS) {
    const widest = boxes.reduce((a, b) => (b.worth > a.worth ? b : a));
    if (widest.worth === 0) break;
    const { axis } = widest;
    const sorted = widest.cells.toSorted((a, b) => level(a, axis) - level(b, axis));
    const half = sorted.reduce((sum, cell) => sum + counts[cell], 0) / 2;
    let cut = 0;
    for (let before = 0; cut < sorted.length - 1 && before < half; cut++) before += counts[sorted[cut]];
    boxes = [...boxes.filter((one) => one !== widest), box(sorted.slice(0, cut)), box(sorted.slice(cut))];
  }
  const palette = new Uint8Array(3 * COLOURS);
  const index = new Uint8Array(BINS ** 3);
  boxes.forEach(({ cells }, i) => {
    const pixels = cells.reduce((sum, cell) => sum + counts[cell], 0);
    for (let c = 0; c < 3; c++) {
      const mean = cells.reduce((sum, cell) => sum + counts[cell] * level(cell, c), 0) / pixels;
      palette[3 * i + c] = Math.round((255 * mean) / (BINS - 1));
    }
    for (const cell of cells) index[cell] = i;
  });
  return { palette, index };
}

/**
 * LZW as GIF has it: codes grow from 9 to 12 bits, then the table begins anew.
 * @param {Uint16Array} cells
 * @param {Uint8Array} index of the palette
 */
function compress(cells, index) {
  const CLEAR = COLOURS, END = COLOURS + 1, FULL = 4096;
  /** @type {number[]} */
  const bytes = [];
  let pending = 0, bits = 0, size = 9;
  const put = (/** @type {number} */ code) => {
    pending |= code << bits;
    for (bits += size; bits >= 8; bits -= 8) {
      bytes.push(pending & 255);
      pending >>>= 8;
    }
  };
  /** @type {Map<number, number>} */
  let table = new Map();
  let next = END + 1;
  put(CLEAR);
  let run = index[cells[0]];
  for (let i = 1; i < cells.length; i++) {
    const colour = index[cells[i]];
    const key = run * COLOURS + colour;
    const known = table.get(key);
    if (known !== undefined) {
      run = known;
      continue;
    }
    put(run);
    run = colour;
    if (next === FULL) {
      put(CLEAR);
      table = new Map();
      next = END + 1;
      size = 9;
    } else {
      if (next === 1 << size) size++;
      table.set(key, next++);
    }
  }
  put(run);
  put(END);
  if (bits > 0) bytes.push(pending & 255);

  const blocks = [8];
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.slice(at, at + 255);
    blocks.push(block.length, ...block);
  }
  return new Uint8Array([...blocks, 0]);
}

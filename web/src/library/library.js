import kernels from 'virtual:kernels';
import { fromBase64 } from '../bytes.js';
import { bitmapOf, pixelsOf } from '../engine/decode.js';
import { Engine } from '../engine/engine.js';
import { Refusal } from '../engine/host.js';
import { STEPS } from '../engine/report.js';
import { describe } from '../engine/result.js';

/**
 * @typedef {import('../../package/gdram.js').Source} Source
 * @typedef {import('../../package/gdram.js').Picture} Picture
 * @typedef {import('../../package/gdram.js').Options} Options
 */

const MAX_SIDE = 2048; // of a picture: 16 times what the network sees
const SURE = 0.5; // lead that is enough where weights do not say so
const NAME = 'network';

/**
 * The library, for a script that knows where its files are.
 *
 * @param {{ wasm: () => URL, weights: () => URL }} beside
 * @returns {Pick<typeof import('../../package/gdram.js'), 'initialize' | 'classify'>}
 */
export function create(beside) {
  /** @type {Promise<{ engine: Engine, model: import('../engine/host.js').Model }> | undefined} */
  let started;

  return {
    async initialize({ wasm = beside.wasm(), weights = beside.weights() } = {}) {
      if (started) throw new Error('initialize() was called before; call it once, and classify() as often as you like.');
      started = start(wasm, weights);
      try {
        const { engine, model } = await started;
        return { labels: [...model.labels], dataset: model.dataset, engine: engine.instructions ?? '' };
      } catch (error) {
        started = undefined;
        throw asError(error);
      }
    },

    async classify(picture, options = {}) {
      if (!started) throw new Error('There is no network yet; call initialize() and wait for it before classify().');
      const { top, ...asked } = checked(options);
      try {
        const { engine, model } = await started;
        const report = await engine.classify(NAME, await pixels(picture), manner(asked, model));
        return { ...describe(report, model.labels, top), milliseconds: { prepare: report.prepareTime, look: report.lookTime } };
      } catch (error) {
        throw asError(error);
      }
    },
  };
}

/** @param {Source | WebAssembly.Module} wasm @param {Source} weights */
async function start(wasm, weights) {
  // Both are fetched at once; the weights are kept, for an engine that has to be started anew.
  const program = wasm instanceof WebAssembly.Module ? wasm : bytesOf(wasm, 'the engine');
  const file = bytesOf(weights, 'the weights');
  Promise.resolve(program).catch(() => {}); // told where they are awaited
  file.catch(() => {});
  const engine = new Engine({
    engine: async () => {
      const there = await program;
      if (there instanceof Uint8Array && new TextDecoder().decode(there.subarray(0, 4)) !== '\0asm') {
        throw new Refusal(`The engine${from(wasm)} is not WebAssembly; see whether its address is right.`);
      }
      return there;
    },
    kernels: async () => kernels.map(fromBase64),
    weights: async () => (await file).slice(),
  });
  try {
    return { engine, model: await engine.open(NAME) };
  } catch (error) {
    engine.end();
    throw error;
  }
}

/** @param {Source | WebAssembly.Module} source */
const from = (source) => (typeof source === 'string' || source instanceof URL ? ` at ${source}` : '');

/**
 * @param {Source} source
 * @param {string} what for sentences
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function bytesOf(source, what) {
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (ArrayBuffer.isView(source)) return new Uint8Array(/** @type {ArrayBuffer} */ (source.buffer), source.byteOffset, source.byteLength);
  let response;
  try {
    response = await (typeof source === 'string' || source instanceof URL ? fetch(source) : source);
  } catch {
    throw new Refusal(`${capital(what)}${from(source)} cannot be fetched; see whether the address is right and this page may use it, or pass the bytes.`);
  }
  if (!(response instanceof Response)) throw new Refusal(`${capital(what)} must be an address, a Response or bytes.`);
  if (!response.ok) throw new Refusal(`${capital(what)} at ${response.url} gave ${response.status}; see whether the address is right.`);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch {
    throw new Refusal(`${capital(what)}${from(source)} cannot be read to the end, or for a second time; try again, with a new Response.`);
  }
}

/** @param {string} text */
const capital = (text) => text[0].toUpperCase() + text.slice(1);

/**
 * The pixels of whatever a page has, as plain RGBA.
 *
 * @param {Picture} picture
 * @returns {Promise<import('../engine/host.js').Picture>}
 */
async function pixels(picture) {
  if (picture instanceof Blob) {
    const bitmap = await bitmapOf(picture).catch(() => {
      throw new Refusal('The picture cannot be read, or is damaged; pass a PNG, JPEG, GIF, WebP or BMP.');
    });
    try {
      return await pixels(bitmap);
    } finally {
      bitmap.close();
    }
  }
  if (picture && typeof picture === 'object' && 'data' in picture && 'width' in picture) {
    const { data, width, height } = picture;
    return { rgba: new Uint8Array(/** @type {ArrayBuffer} */ (data.buffer), data.byteOffset, data.byteLength), width, height };
  }
  const drawable = /** @type {CanvasImageSource} */ (picture);
  if (globalThis.HTMLImageElement && drawable instanceof HTMLImageElement) {
    await drawable.decode().catch(() => {
      throw new Refusal('The image element has no picture, or a damaged one; see whether its address is right.');
    });
  }
  const size = sizeOf(drawable);
  if (!size) throw new Refusal('What classify() was given is no picture; pass a Blob, an image, a canvas, a video, an ImageBitmap, a VideoFrame or ImageData.');
  const [width, height] = size;
  if (!(width > 0 && height > 0)) throw new Refusal(`The picture is ${width} × ${height} pixels; wait until it is loaded.`);
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  try {
    return pixelsOf(drawable, Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  } catch (error) {
    if (/** @type {Error} */ (error).name !== 'SecurityError') throw error;
    throw new Refusal('The picture comes from another site, which does not let this page read it; ask for it with crossorigin, or serve it from here.');
  }
}

/** @param {any} drawable @returns {[width: number, height: number] | undefined} */
function sizeOf(drawable) {
  for (const [width, height] of [['naturalWidth', 'naturalHeight'], ['videoWidth', 'videoHeight'], ['displayWidth', 'displayHeight'], ['width', 'height']]) {
    if (typeof drawable?.[width] === 'number') return [drawable[width], drawable[height]];
  }
  return undefined;
}

/** @param {Options} options @returns {Options & { top: number }} */
function checked(options) {
  if (options === null || typeof options !== 'object') throw new Error(`The options are ${options}; want an object, as in { glimpses: 4 }.`);
  /** @param {string} name @param {unknown} value @param {number} low @param {number} high @param {boolean} whole */
  const number = (name, value, low, high, whole) => {
    if (value === undefined) return;
    if (typeof value !== 'number' || !(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
      throw new Error(`The option ${name} is ${value}; want a ${whole ? 'whole ' : ''}number from ${low} to ${high}.`);
    }
  };
  number('lead', options.lead, Number.MIN_VALUE, 1, false);
  number('glimpses', options.glimpses, 1, STEPS, true);
  number('samples', options.samples, 1, 1000, true);
  number('seed', options.seed, 0, 2 ** 32 - 1, true);
  number('top', options.top, 1, Infinity, true);
  const { pins = [] } = options;
  if (!Array.isArray(pins) || !pins.every((pin) => pin && typeof pin === 'object')) throw new Error('The option pins is no array of looks; want one as in [{ look: 1, x: 0, y: 0.5 }].');
  for (const { look, x, y } of pins) {
    number('pins: look', look ?? NaN, 1, STEPS, true);
    number('pins: x', x ?? NaN, -1, 1, false);
    number('pins: y', y ?? NaN, -1, 1, false);
  }
  return { ...options, top: options.top ?? 5 };
}

/** @param {Options} options @param {import('../engine/host.js').Model} model @returns {import('../engine/host.js').Manner} */
function manner({ fast, lead, glimpses, samples, seed, pins = [] }, model) {
  return {
    lead: lead ?? (fast ? model.fast?.lead ?? SURE : undefined),
    glimpses,
    samples,
    seed,
    pins: pins.map(({ look, x, y }) => ({ step: look - 1, x, y })),
  };
}

/** A refusal as an error whose message is a whole sentence. @param {unknown} error */
function asError(error) {
  if (!(error instanceof Refusal)) return error;
  const { message } = error;
  return new Error(capital(message) + (/[.!?]$/.test(message) ? '' : '.'));
}

import { instantiate } from './instance.js';

/**
 * What a weights file says of itself.
 * @typedef {object} Model
 * @property {number} classes
 * @property {string[]} labels one per class
 * @property {boolean} gray whether it sees brightness only
 * @property {string} dataset what it learnt from, or ''
 * @property {{ lead: number } | undefined} fast where it may stop looking early
 * @property {number} noise what the policy's standard deviation was multiplied with when it learnt last
 */

/**
 * How to look; what is left out is as the policy says, eight times.
 * @typedef {object} Manner
 * @property {number} [lead] stop once the most probable class leads by so much after the first look, and by evenly less after each more; 0 for never. Samples do not stop.
 * @property {number} [glimpses] look at most so often, 1 to 8
 * @property {number} [samples] look so many times with the policy's noise; 0 for once, without
 * @property {number} [seed] of the noise, a whole number below 2 to the 32nd
 * @property {Pin[]} [pins] looks that the person chooses
 *
 * @typedef {{ step: number, x: number, y: number }} Pin a look, from 0, and its place in -1..1
 */

/**
 * @typedef {object} Answer
 * @property {Uint8Array<ArrayBuffer>[]} reports for readReport, one a sample
 * @property {number} prepareTime milliseconds
 * @property {number} lookTime milliseconds
 */

/** The engine on whichever thread it lives: the exports of wasm/browser, with its sentences turned into errors. */
export class Host {
  /** Each model with its number in Go. @type {Map<string, Model & { number: number }>} */
  #models = new Map();
  #opened = 0;
  /** The file that is opened. @type {Uint8Array} */
  #weights = new Uint8Array();
  /** @type {GoExports} */
  #go;

  /** @param {GoExports} go */
  constructor(go) {
    this.#go = go;
  }

  /** @param {import('./instance.js').Modules} modules */
  static async start(modules) {
    /** @type {Host} */
    const host = new Host(await instantiate(modules, (...range) => host.#read(...range)));
    return host;
  }

  /** Go reads some bytes of the file that is opened. @param {number} to @param {number} begin @param {number} size */
  #read(to, begin, size) {
    new Uint8Array(this.#go.mem.buffer, to, size).set(this.#weights.subarray(begin, begin + size));
  }

  /** Writes to Go's memory. Whatever Go does may move that, so nobody keeps a view of it. @param {Uint8Array} bytes */
  #give(bytes) {
    const address = this.#go.input(bytes.length);
    new Uint8Array(this.#go.mem.buffer, address, bytes.length).set(bytes);
  }

  /** A copy of Go's answer. */
  #answer() {
    const address = this.#go.answerAddress();
    return new Uint8Array(this.#go.mem.buffer, address, this.#go.answerSize()).slice();
  }

  /** @param {number} done what a call returned */
  #check(done) {
    if (!done) throw new Refusal(text(this.#answer()));
  }

  /** The vector instructions that its kernels use: 'relaxed SIMD', 'SIMD' or 'scalar'. */
  get instructions() {
    this.#go.instructions();
    return text(this.#answer());
  }

  /**
   * Opens a weights file, in place of any earlier one of that name.
   *
   * @param {string} name
   * @param {Uint8Array} weights
   * @returns {Model}
   */
  open(name, weights) {
    this.#weights = weights;
    const opened = this.#go.open(weights.length);
    this.#weights = new Uint8Array();
    this.#check(opened);
    const number = this.#opened++;
    let model;
    try {
      model = readModel(this.#answer());
    } catch (error) {
      this.#go.release(number);
      throw error;
    }
    const old = this.#models.get(name);
    if (old) this.#go.release(old.number);
    this.#models.set(name, { ...model, number });
    return model;
  }

  /**
   * @param {string} name of an opened model
   * @param {Picture} picture
   * @param {Manner} manner
   * @returns {Answer}
   */
  classify(name, { rgba, width, height }, { lead = 0, glimpses = 8, samples = 0, seed = 0, pins = [] }) {
    const model = this.#models.get(name);
    if (!model) throw new Error(`no model ${name} is open`);
    if (samples > 0) lead = 0; // a mean is of full looks
    const start = performance.now();
    this.#give(rgba);
    this.#check(this.#go.prepare(model.number, width, height));
    const prepared = performance.now();
    let lookTime = 0;
    const reports = [];
    for (let sample = 0; sample < Math.max(1, samples); sample++) {
      const before = performance.now();
      this.#give(pinBytes(pins));
      this.#check(this.#go.look(model.number, lead, glimpses, samples > 0 ? model.noise : 0, seed, sample));
      lookTime += performance.now() - before;
      this.#check(this.#go.report(model.number));
      reports.push(this.#answer());
    }
    return { reports, prepareTime: prepared - start, lookTime };
  }
}

/** As wasm/browser/bridge.go reads them. @param {Pin[]} pins */
function pinBytes(pins) {
  const view = new DataView(new ArrayBuffer(12 * pins.length));
  pins.forEach(({ step, x, y }, i) => {
    view.setUint32(12 * i, step, true);
    view.setFloat32(12 * i + 4, x, true);
    view.setFloat32(12 * i + 8, y, true);
  });
  return new Uint8Array(view.buffer);
}

/** @param {Uint8Array<ArrayBuffer>} bytes UTF-8 */
const text = (bytes) => new TextDecoder().decode(bytes);

/**
 * Reads what open answers; wasm/browser/bridge.go has the layout.
 * @param {Uint8Array<ArrayBuffer>} answer
 * @returns {Model}
 */
function readModel(answer) {
  const view = new DataView(answer.buffer);
  /** @type {string[]} */
  const texts = [];
  for (let at = 12; at < answer.length;) {
    const start = at + 4;
    at = start + view.getUint32(at, true);
    texts.push(text(answer.subarray(start, at)));
  }
  const classes = view.getUint32(0, true);
  const given = texts.splice(0, view.getUint32(8, true));
  const labels = Array.from({ length: classes }, (_, i) => given[i] ?? String(i));
  const [dataset, ...rest] = texts;
  /** @type {Record<string, string>} */
  const more = {};
  for (let i = 0; i < rest.length; i += 2) more[rest[i]] = rest[i + 1];
  return { classes, labels, gray: view.getUint32(4, true) === 1, dataset, fast: readFast(more.fast), noise: trainedNoise(more.recipe) };
}

/** @param {string | undefined} note as core/checkpoint/disk writes it */
function readFast(note) {
  if (note === undefined) return undefined;
  let fast;
  try {
    fast = JSON.parse(note);
  } catch {
    // told below
  }
  const { lead } = fast ?? {};
  if (!(Math.fround(lead) > 0 && lead <= 1)) {
    throw new Refusal(`the metadata has fast “${note}”; want a lead above 0, up to 1, as in {"lead":0.5}. Note another with gdram convert --fast`);
  }
  return { lead };
}

/** How wide the policy looked when it learnt last, as core/train/looks.go has it. @param {string | undefined} recipe */
function trainedNoise(recipe) {
  if (recipe === 'gdram-scan' || recipe === 'gdram-random') {
    throw new Refusal(`they learnt with the recipe ${recipe}, which has no policy, to be compared by gdram eval; choose weights that learnt with one`);
  }
  return recipe === 'gdram' ? 0.15 : 1;
}

/**
 * @typedef {object} Picture
 * @property {Uint8Array} rgba [height][width][4]
 * @property {number} width
 * @property {number} height
 */

/** An error whose message is a sentence for the person at the page: the input's fault, not ours. */
export class Refusal extends Error {}

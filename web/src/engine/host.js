import { instantiate } from './instance.js';

/**
 * What a weights file says of itself.
 * @typedef {object} Model
 * @property {number} classes
 * @property {string[]} labels one per class
 * @property {boolean} gray whether it sees brightness only
 */

/**
 * @typedef {object} Answer
 * @property {Uint8Array<ArrayBuffer>} report for readReport
 * @property {number} prepareTime milliseconds
 * @property {number} lookTime milliseconds
 */

/** The engine on whichever thread it lives: the exports of wasm/browser, with its sentences turned into errors. */
export class Host {
  /** The number of each model, as it was opened. @type {Map<string, number>} */
  #models = new Map();
  #opened = 0;
  #go;

  /** @param {GoExports} go */
  constructor(go) {
    this.#go = go;
  }

  /** @param {import('./instance.js').Modules} modules */
  static async start(modules) {
    return new Host(await instantiate(modules));
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
    this.#give(weights);
    this.#check(this.#go.open());
    this.#models.set(name, this.#opened++);
    return readModel(this.#answer());
  }

  /**
   * @param {string} name
   * @param {Picture} picture
   * @param {boolean} fast
   * @returns {Answer}
   */
  classify(name, picture, fast) {
    const model = this.#models.get(name);
    if (model === undefined) throw new Refusal(`No model named ${name} is open; choose a model first.`);
    this.#give(picture.rgba);
    const start = performance.now();
    this.#check(this.#go.prepare(model, picture.width, picture.height));
    const prepared = performance.now();
    this.#check(this.#go.look(model, Number(fast)));
    const looked = performance.now();
    this.#check(this.#go.report(model));
    return { report: this.#answer(), prepareTime: prepared - start, lookTime: looked - prepared };
  }
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
  const given = [];
  for (let at = 8; at < answer.length;) {
    const start = at + 4;
    at = start + view.getUint32(at, true);
    given.push(text(answer.subarray(start, at)));
  }
  const classes = view.getUint32(0, true);
  const labels = Array.from({ length: classes }, (_, i) => given[i] ?? String(i));
  return { classes, labels, gray: view.getUint32(4, true) === 1 };
}

/**
 * @typedef {object} Picture
 * @property {Uint8Array} rgba [height][width][4]
 * @property {number} width
 * @property {number} height
 */

/** An error whose message is a sentence for the person at the page: the input's fault, not ours. */
export class Refusal extends Error {}

import workerSource from 'virtual:worker';
import { decode } from './decode.js';
import { Refusal } from './host.js';
import { readReport } from './report.js';
import { startHost } from './start.js';

/**
 * @typedef {import('./host.js').Model} Model
 * @typedef {import('./start.js').Packed} Packed
 * @typedef {import('./start.js').Parts} Parts
 * @typedef {import('./host.js').Picture} Picture
 * @typedef {import('./host.js').Manner} Manner
 * @typedef {import('./report.js').Report} Report
 */

/**
 * The network, off the main thread where the browser allows it. One instance for all models:
 * memory of WebAssembly never shrinks.
 */
export class Engine {
  /** @type {Promise<Side> | undefined} */
  #side;
  /** That of #side, once there is one. @type {Side | undefined} */
  #current;
  /** @type {Map<string, Promise<Model>>} */
  #open = new Map();
  /** What add was given, for an engine that is started anew. @type {Map<string, Uint8Array<ArrayBuffer>>} */
  #added = new Map();
  #loadEngine;
  #loadKernels;
  #loadWeights;

  /**
   * @param {object} sources
   * @param {() => Promise<WebAssembly.Module | Packed>} sources.engine the wasm binary
   * @param {() => Promise<Uint8Array<ArrayBuffer>[]>} sources.kernels for compileKernels
   * @param {(name: string) => Promise<Uint8Array<ArrayBuffer>>} sources.weights the bytes of a safetensors file; they leave for the engine's thread
   */
  constructor({ engine, kernels, weights }) {
    this.#loadEngine = engine;
    this.#loadKernels = kernels;
    this.#loadWeights = weights;
  }

  /** 'worker' or 'page', once started. @type {'worker' | 'page' | undefined} */
  where;

  /** 'relaxed SIMD', 'SIMD' or 'scalar', once started. @type {string | undefined} */
  instructions;

  /**
   * Opens a model, at most once. A weights file that is refused is asked for again the next time.
   * @param {string} name
   * @returns {Promise<Model>}
   */
  open(name) {
    let opened = this.#open.get(name);
    if (!opened) {
      opened = this.#opening(name);
      this.#open.set(name, opened);
      opened.catch(() => this.#open.delete(name));
    }
    return opened;
  }

  /**
   * Opens weights that the loader does not know, in place of any earlier ones of that name. Refused ones leave those.
   * @param {string} name
   * @param {Uint8Array<ArrayBuffer>} weights
   */
  async add(name, weights) {
    const side = await this.#started();
    const model = await this.#guard(side, side.open(name, weights.slice()));
    this.#added.set(name, weights);
    this.#open.set(name, Promise.resolve(model));
    return model;
  }

  /** @param {string} name */
  async #opening(name) {
    const added = this.#added.get(name);
    // The weights are needed last, while the engine compiles and starts; asked for at once, they would make it come later.
    const side = await this.#started();
    const weights = added?.slice() ?? await this.#loadWeights(name);
    return this.#guard(side, side.open(name, weights).catch((error) => {
      throw error instanceof Refusal ? new Refusal(`The weights “${name}” cannot be used: ${error.message}`) : error;
    }));
  }

  /**
   * @param {string} name of a model
   * @param {Picture} picture
   * @param {Manner} manner
   * @returns {Promise<Report>}
   */
  async classify(name, picture, manner) {
    await this.open(name);
    const side = await this.#started();
    return readReport(await this.#guard(side, side.classify(name, picture, manner)));
  }

  /**
   * Decodes a picture on the engine's thread; see decode.js. What that cannot read is no failure of the engine.
   *
   * @param {Blob} blob
   * @param {number} [width]
   * @param {number} [height]
   * @returns {Promise<Picture>}
   */
  async decode(blob, width, height) {
    const side = await this.#started();
    return side.decode(blob, width, height);
  }

  #started() {
    return this.#side ??= this.#start();
  }

  /** @returns {Promise<Side>} which may be asked already, though it has yet to start */
  async #start() {
    const loading = Promise.all([this.#loadEngine(), this.#loadKernels()]).then(([program, kernels]) => ({ program, kernels }));
    const worker = startWorker(loading);
    const side = worker && await worker.runs ? worker : new HereSide(loading);
    this.where = side === worker ? 'worker' : 'page';
    this.#current = side;
    try {
      await loading; // now it is asked to start, before anything else
    } catch (error) {
      this.#drop(side);
      throw error;
    }
    side.instructions.then((instructions) => {
      this.instructions = instructions;
    }, () => this.#drop(side));
    return side;
  }

  /** Ends a side; what it still had to answer fails. The next call starts another. @param {Side} side */
  #drop(side) {
    side.end();
    if (side !== this.#current) return; // another has taken its place already
    this.#current = this.#side = undefined;
    this.#open.clear();
  }

  /** Ends its thread, or one that is only about to start. The next call would start it anew. */
  end() {
    this.#side?.then((side) => this.#drop(side), () => {});
  }

  /**
   * Passes refusals on, and why it did not start. Any other failure may have left Go's runtime in pieces, so the instance is
   * thrown away and the next call starts anew.
   *
   * @template T
   * @param {Side} side
   * @param {Promise<T>} call
   */
  async #guard(side, call) {
    call.catch(() => {}); // told below
    await side.instructions;
    try {
      return await call;
    } catch (error) {
      if (error instanceof Refusal) throw error;
      this.#drop(side);
      console.error(error);
      throw new Refusal('The engine failed and was started anew; try that picture again, or a smaller one.');
    }
  }
}

/**
 * The thread that the host lives on.
 * @typedef {object} Side
 * @property {Promise<string>} instructions once it has started; it may be asked before
 * @property {(name: string, weights: Uint8Array<ArrayBuffer>) => Promise<Model>} open
 * @property {(name: string, picture: Picture, manner: Manner) => Promise<import('./host.js').Answer>} classify
 * @property {typeof decode} decode
 * @property {() => void} end
 */

/** @implements {Side} */
class HereSide {
  #host;
  instructions;
  /** @param {Promise<Parts>} loading */
  constructor(loading) {
    this.#host = loading.then(startHost);
    this.instructions = this.#host.then((host) => host.instructions);
    this.instructions.catch(() => {}); // whoever asks it anything is told
  }
  /** @type {Side['open']} */
  async open(name, weights) {
    return (await this.#host).open(name, weights);
  }
  /** @type {Side['classify']} */
  async classify(name, picture, manner) {
    return (await this.#host).classify(name, picture, manner);
  }
  decode = decode;
  end() {}
}

/** @implements {Side} */
class WorkerSide {
  #last = 0;
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  #waiting = new Map();

  /** @param {Worker} worker @param {Promise<Parts>} loading */
  constructor(worker, loading) {
    this.worker = worker;
    /** Whether the browser lets it: some say so late. @type {Promise<boolean>} */
    this.runs = new Promise((resolve) => {
      worker.onmessage = ({ data }) => {
        resolve(true);
        this.#answered(data);
      };
      worker.onerror = (event) => {
        resolve(false);
        this.#fail(event.message);
      };
    });
    // It gets its parts before it is known to run, and finds them when it does.
    /** @type {Promise<string>} */
    this.instructions = loading.then((parts) => this.#ask({ call: 'start', parts }));
    this.instructions.catch(() => {}); // whoever asks it anything is told
  }

  /** @param {import('./worker.js').Answer} answer */
  #answered({ id, value, refusal, failure }) {
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (refusal !== undefined) call?.reject(new Refusal(refusal));
    else if (failure !== undefined) call?.reject(new Error(failure));
    else call?.resolve(value);
  }

  /** @param {object} request @param {Transferable[]} [transfer] @returns {Promise<any>} */
  #ask(request, transfer = []) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, ...request }, transfer);
    });
  }

  /** @type {Side['open']} */
  open(name, weights) {
    return this.#ask({ call: 'open', name, weights }, [weights.buffer]);
  }
  /** @type {Side['classify']} */
  classify(name, picture, manner) {
    return this.#ask({ call: 'classify', name, picture, manner });
  }
  /** @param {Blob} blob @param {number} [width] @param {number} [height] @returns {Promise<Picture>} */
  async decode(blob, width, height) {
    if (!globalThis.OffscreenCanvas) return decode(blob, width, height); // then the worker has none either
    return this.#ask({ call: 'decode', blob, width, height });
  }
  end() {
    this.worker.terminate();
    this.#fail('its thread was ended');
  }

  /** @param {string} why */
  #fail(why) {
    for (const call of this.#waiting.values()) call.reject(new Error(why));
    this.#waiting.clear();
  }
}

/**
 * A page from the file system may not start a worker by address, but may from a blob.
 * @param {Promise<Parts>} loading
 * @returns {WorkerSide | undefined} undefined where workers are forbidden
 */
function startWorker(loading) {
  try {
    const address = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
    const side = new WorkerSide(new Worker(address), loading);
    side.runs.then(() => URL.revokeObjectURL(address));
    return side;
  } catch {
    return undefined;
  }
}

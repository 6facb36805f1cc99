import workerSource from 'virtual:worker';
import { decode } from './decode.js';
import { Host, Refusal } from './host.js';
import { compileKernels } from './kernels.js';
import { readReport } from './report.js';

/**
 * @typedef {import('./host.js').Model} Model
 * @typedef {import('./instance.js').Modules} Modules
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
  /** @type {Map<string, Promise<Model>>} */
  #open = new Map();
  /** What add was given, for an engine that is started anew. @type {Map<string, Uint8Array>} */
  #added = new Map();
  #loadEngine;
  #loadKernels;
  #loadWeights;

  /**
   * @param {object} sources
   * @param {() => Promise<BufferSource | WebAssembly.Module>} sources.engine the wasm binary
   * @param {() => Promise<Uint8Array<ArrayBuffer>[]>} sources.kernels for compileKernels
   * @param {(name: string) => Promise<Uint8Array>} sources.weights the bytes of a safetensors file
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
   * @param {Uint8Array} weights
   */
  async add(name, weights) {
    const side = await this.#started();
    const model = await this.#guard(side.open(name, weights));
    this.#added.set(name, weights);
    this.#open.set(name, Promise.resolve(model));
    return model;
  }

  /** @param {string} name */
  async #opening(name) {
    const added = this.#added.get(name);
    const [side, weights] = await Promise.all([this.#started(), added ?? this.#loadWeights(name)]);
    return this.#guard(side.open(name, weights).catch((error) => {
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
    return readReport(await this.#guard(side.classify(name, picture, manner)));
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
    this.#side ??= this.#start().catch((error) => {
      this.#side = undefined;
      throw error;
    });
    return this.#side;
  }

  /** @returns {Promise<Side>} */
  async #start() {
    const [program, kernels, worker] = await Promise.all([
      this.#loadEngine().then(compileProgram),
      this.#loadKernels().then(compileKernels),
      startWorker(),
    ]).catch((error) => {
      if (!/Content Security Policy|blocked by CSP/i.test(String(error))) throw error;
      throw new Refusal("This page's security policy forbids WebAssembly; add 'wasm-unsafe-eval' to its script-src.");
    });
    const modules = { program, kernels };
    this.where = worker ? 'worker' : 'page';
    if (!worker) {
      const host = await Host.start(modules);
      this.instructions = host.instructions;
      return new HereSide(host);
    }
    const side = new WorkerSide(worker);
    this.instructions = await side.start(modules);
    return side;
  }

  /**
   * Passes refusals on. Any other failure may have left Go's runtime in pieces, so the instance is
   * thrown away and the next call starts anew.
   *
   * @template T
   * @param {Promise<T>} call
   */
  async #guard(call) {
    try {
      return await call;
    } catch (error) {
      if (error instanceof Refusal) throw error;
      const side = this.#side;
      this.#side = undefined;
      this.#open.clear();
      side?.then((old) => old.end());
      console.error(error);
      throw new Refusal('The engine failed and was started anew; try that picture again, or a smaller one.');
    }
  }
}

/** @param {BufferSource | WebAssembly.Module} program */
const compileProgram = (program) => (program instanceof WebAssembly.Module ? program : WebAssembly.compile(program));

/**
 * The thread that the host lives on.
 * @typedef {object} Side
 * @property {(name: string, weights: Uint8Array) => Promise<Model>} open
 * @property {(name: string, picture: Picture, manner: Manner) => Promise<import('./host.js').Answer>} classify
 * @property {typeof decode} decode
 * @property {() => void} end
 */

/** @implements {Side} */
class HereSide {
  /** @param {Host} host */
  constructor(host) {
    this.host = host;
  }
  /** @param {string} name @param {Uint8Array} weights */
  async open(name, weights) {
    return this.host.open(name, weights);
  }
  /** @param {string} name @param {Picture} picture @param {Manner} manner */
  async classify(name, picture, manner) {
    return this.host.classify(name, picture, manner);
  }
  decode = decode;
  end() {}
}

/** @implements {Side} */
class WorkerSide {
  #last = 0;
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  #waiting = new Map();

  /** @param {Worker} worker */
  constructor(worker) {
    this.worker = worker;
    worker.onmessage = ({ data }) => this.#answered(data);
    worker.onerror = (event) => {
      for (const call of this.#waiting.values()) call.reject(new Error(event.message));
      this.#waiting.clear();
    };
  }

  /** @param {import('./worker.js').Answer} answer */
  #answered({ id, value, refusal, failure }) {
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (refusal !== undefined) call?.reject(new Refusal(refusal));
    else if (failure !== undefined) call?.reject(new Error(failure));
    else call?.resolve(value);
  }

  /** @param {object} request @returns {Promise<any>} */
  #ask(request) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, ...request });
    });
  }

  /** @param {Modules} modules @returns {Promise<string>} the instructions */
  start(modules) {
    return this.#ask({ call: 'start', modules });
  }
  /** @param {string} name @param {Uint8Array} weights @returns {Promise<Model>} */
  open(name, weights) {
    return this.#ask({ call: 'open', name, weights });
  }
  /** @param {string} name @param {Picture} picture @param {Manner} manner @returns {Promise<import('./host.js').Answer>} */
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
  }
}

/**
 * A page from the file system may not start a worker by address, but may from a blob.
 * @returns {Promise<Worker | undefined>} undefined where workers are forbidden
 */
function startWorker() {
  return new Promise((resolve) => {
    try {
      const address = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
      const worker = new Worker(address);
      worker.onmessage = () => {
        URL.revokeObjectURL(address);
        resolve(worker);
      };
      worker.onerror = () => resolve(undefined);
    } catch {
      resolve(undefined);
    }
  });
}

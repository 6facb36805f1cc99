import { instantiate } from './instance.js';

/**
 * What a weights file says of itself.
 * @typedef {object} Model
 * @property {number} classes
 * @property {string[]} labels one per class
 * @property {boolean} gray whether it sees brightness only
 */

/** The engine on whichever thread it lives: Go's bridge with its sentences turned into errors. */
export class Host {
  /** @param {GoBridge} bridge */
  constructor(bridge) {
    this.bridge = bridge;
  }

  /** @param {import('./instance.js').Modules} modules */
  static async start(modules) {
    return new Host(await instantiate(modules));
  }

  /** The vector instructions that its kernels use: 'relaxed SIMD', 'SIMD' or 'scalar'. */
  get instructions() {
    return this.bridge.instructions;
  }

  /**
   * @param {string} name
   * @param {Uint8Array} weights
   * @returns {Model}
   */
  open(name, weights) {
    const answer = this.bridge.open(name, weights);
    if (typeof answer === 'string') throw new Refusal(answer);
    return answer;
  }

  /**
   * @param {string} name
   * @param {Picture} picture
   * @param {boolean} fast
   * @returns {Uint8Array} for readReport
   */
  classify(name, picture, fast) {
    const answer = this.bridge.classify(name, picture.rgba, picture.width, picture.height, fast);
    if (typeof answer === 'string') throw new Refusal(answer);
    return answer;
  }
}

/**
 * @typedef {object} Picture
 * @property {Uint8Array} rgba [height][width][4]
 * @property {number} width
 * @property {number} height
 */

/** An error whose message is a sentence for the person at the page: the input's fault, not ours. */
export class Refusal extends Error {}

import { STEPS } from '../engine/report.js';
import { byId, element } from './dom.js';

/** @typedef {import('../engine/report.js').Report} Report */

const PACE = 600; // milliseconds a look while playing

/**
 * The row of looks below the picture: one radio button each, so that arrow keys walk them, with
 * a bar for how much each counts, and a button that plays them.
 */
export class Looks {
  /** @type {HTMLInputElement[]} */
  #inputs = [];
  /** @type {HTMLElement[]} */
  #bars = [];
  #play = /** @type {HTMLButtonElement} */ (byId('play'));
  #count = 0;
  #timer = 0;
  #onChoose;

  /** @param {(look: number) => void} onChoose */
  constructor(onChoose) {
    this.#onChoose = onChoose;
    for (let i = 0; i < STEPS; i++) {
      const input = element('input', { type: 'radio', name: 'look', value: i, disabled: true });
      const bar = element('i', { class: 'weight' });
      input.addEventListener('change', () => this.choose(i));
      this.#inputs.push(input);
      this.#bars.push(bar);
      byId('looks').append(element('label', {}, input, element('span', {}, String(i + 1)), element('span', { class: 'weights', 'aria-hidden': 'true' }, bar)));
    }
    this.#play.addEventListener('click', () => (this.#timer ? this.#pause() : this.#start(this.#chosen() >= this.#count - 1 ? 0 : this.#chosen())));
  }

  /**
   * Shows another result.
   * @param {Report} report
   * @param {boolean} play walk through the looks, if the person likes motion
   */
  show({ looks }, play) {
    this.#pause();
    this.#count = looks.length;
    this.#play.disabled = false;
    this.#inputs.forEach((input, i) => {
      input.disabled = i >= looks.length;
      this.#bars[i].style.height = i < looks.length ? `${Math.max(4, 100 * looks[i].weight)}%` : '0';
    });
    if (play && !matchMedia('(prefers-reduced-motion: reduce)').matches) this.#start(0);
    else this.#set(looks.length - 1);
  }

  /** A person chose a look. @param {number} look */
  choose(look) {
    this.#pause();
    this.#set(look);
  }

  #chosen() {
    return this.#inputs.findIndex((input) => input.checked);
  }

  /** @param {number} look */
  #set(look) {
    this.#inputs[look].checked = true;
    this.#onChoose(look);
  }

  /** @param {number} from */
  #start(from) {
    this.#set(from);
    this.#play.textContent = 'Pause';
    this.#timer = setInterval(() => {
      const next = this.#chosen() + 1;
      if (next < this.#count) this.#set(next);
      if (next >= this.#count - 1) this.#pause();
    }, PACE);
  }

  #pause() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#play.textContent = 'Play';
  }
}

import { STEPS } from '../engine/report.js';
import { byId, element } from './dom.js';

/** @typedef {import('../engine/report.js').Report} Report */

const PACE = 600; // milliseconds a look while playing

/**
 * The row of looks below the picture: one radio button each, so that arrow keys walk them and a
 * finger drawn over them scrubs, with a bar for how much each counts, and a button that plays them.
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
    const row = byId('looks');
    for (let i = 0; i < STEPS; i++) {
      const input = element('input', { type: 'radio', name: 'look', value: i, disabled: true });
      const bar = element('i', { class: 'weight' });
      input.addEventListener('change', () => this.choose(i));
      this.#inputs.push(input);
      this.#bars.push(bar);
      row.append(element('label', {}, input, element('span', {}, String(i + 1)), element('span', { class: 'weights', 'aria-hidden': 'true' }, bar)));
    }
    row.addEventListener('pointermove', (event) => {
      if (event.buttons !== 1) return;
      const box = row.getBoundingClientRect();
      const look = Math.floor(((event.clientX - box.left) / box.width) * STEPS);
      if (look >= 0 && look < this.#count && look !== this.chosen) this.choose(look);
    });
    this.#play.addEventListener('click', () => (this.#timer ? this.#pause() : this.#start(this.chosen >= this.#count - 1 ? 0 : this.chosen)));
  }

  /** Index of the look that is shown; -1 before there is one. */
  get chosen() {
    return this.#inputs.findIndex((input) => input.checked);
  }

  /**
   * Shows another result.
   * @param {Report} report
   * @param {{ play?: boolean, look?: number, pins: number[] }} how walk through the looks, if the person likes motion, or
   *   stay at a look, or else at the last; and the looks that the person chose
   */
  show({ looks }, { play = false, look = looks.length - 1, pins }) {
    this.#pause();
    this.#count = looks.length;
    this.#play.disabled = looks.length < 2;
    this.#inputs.forEach((input, i) => {
      input.disabled = i >= looks.length;
      input.parentElement?.classList.toggle('pinned', pins.includes(i) && i < looks.length);
      this.#bars[i].style.height = i < looks.length ? `${Math.max(4, 100 * looks[i].weight)}%` : '0';
    });
    if (play && looks.length > 1 && !matchMedia('(prefers-reduced-motion: reduce)').matches) this.#start(0);
    else this.#set(Math.min(look, looks.length - 1));
  }

  /** A person chose a look. @param {number} look */
  choose(look) {
    this.#pause();
    this.#set(look);
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
      const next = this.chosen + 1;
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

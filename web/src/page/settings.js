import { Refusal } from '../engine/host.js';
import { STEPS } from '../engine/report.js';
import { byId } from './dom.js';

/** @typedef {import('../engine/host.js').Manner} Manner */
/** @typedef {import('../engine/host.js').Model} Model */
/** @typedef {import('../engine/host.js').Pin} Pin */

export const MOST_SAMPLES = 32;
const MOST_SEED = 2 ** 32 - 1;
const SURE = 0.5; // lead that is enough where weights do not say so
const LIMIT = 0.90625; // no place lies further out, as core/policy has it

/**
 * How the person wants it to look. What is undefined is as the weights say.
 * @typedef {object} Settings
 * @property {boolean} stop early, when sure
 * @property {number | undefined} lead after the first look that is enough; after each more it is less
 * @property {number | undefined} glimpses at most
 * @property {number} samples 0 to follow the policy's mean
 * @property {number} seed
 * @property {Pin[]} pins in the order of their steps
 */

/** @returns {Settings} */
export const untouched = () => ({ stop: false, lead: undefined, glimpses: undefined, samples: 0, seed: 1, pins: [] });

/**
 * What the engine is asked for.
 *
 * @param {Settings} settings
 * @param {Model | undefined} model undefined while it is not known
 * @returns {Required<Manner>}
 */
export function manner({ stop, lead, glimpses, samples, seed, pins }, model) {
  const early = stop && samples === 0;
  const most = glimpses ?? STEPS;
  return {
    lead: early ? lead ?? model?.fast?.lead ?? SURE : 0,
    glimpses: most,
    samples,
    seed,
    pins: pins.filter(({ step }) => step < most),
  };
}

/** The settings with one more look that the person chose; later ones belonged to another path. @param {Settings} settings @param {Pin} pin */
export function pinned(settings, pin) {
  const inside = (/** @type {number} */ v) => Math.min(LIMIT, Math.max(-LIMIT, v));
  return { ...settings, pins: [...settings.pins.filter(({ step }) => step < pin.step), { step: pin.step, x: inside(pin.x), y: inside(pin.y) }] };
}

/** @param {Settings} settings @returns {[string, string][]} parts of a link */
export function toLink({ stop, lead, glimpses, samples, seed, pins }) {
  /** @type {[string, string][]} */
  const parts = [];
  if (stop) parts.push(['stop', lead === undefined ? 'sure' : String(lead)]);
  if (glimpses !== undefined) parts.push(['looks', String(glimpses)]);
  if (samples > 0) parts.push(['samples', String(samples)], ['seed', String(seed)]);
  for (const { step, x, y } of pins) parts.push([`look${step + 1}`, `${+x.toFixed(4)},${+y.toFixed(4)}`]);
  return parts;
}

/** @param {URLSearchParams} link @returns {Settings} */
export function fromLink(link) {
  const settings = untouched();
  /** @param {string} name @param {number} low @param {number} high @param {boolean} whole */
  const number = (name, low, high, whole) => {
    const text = link.get(name) ?? '';
    const value = Number(text);
    if (text === '' || !(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
      throw new Refusal(`The link says ${name}=${text}; want a ${whole ? 'whole ' : ''}number from ${low} to ${high}. The page shows its usual look instead.`);
    }
    return value;
  };
  if (link.has('stop')) {
    settings.stop = true;
    if (link.get('stop') !== 'sure') settings.lead = number('stop', 0.01, 1, false);
  }
  if (link.has('looks')) settings.glimpses = number('looks', 1, STEPS, true);
  if (link.has('samples')) settings.samples = number('samples', 1, MOST_SAMPLES, true);
  if (link.has('seed')) settings.seed = number('seed', 0, MOST_SEED, true);
  for (let step = 0; step < STEPS; step++) {
    const name = `look${step + 1}`;
    const place = link.get(name);
    if (place === null) continue;
    const [x, y, ...more] = place.split(',').map(Number);
    if (!(Math.abs(x) <= 1 && Math.abs(y) <= 1) || more.length > 0) {
      throw new Refusal(`The link says ${name}=${place}; want two numbers from -1 to 1, as in ${name}=0.5,-0.25. The page shows its usual look instead.`);
    }
    settings.pins.push({ step, x, y });
  }
  return settings;
}

/** The controls, which say what holds and tell what the person changes. */
export class Controls {
  #glimpses = /** @type {HTMLInputElement} */ (byId('glimpses'));
  #stop = /** @type {HTMLInputElement} */ (byId('stop'));
  #lead = /** @type {HTMLInputElement} */ (byId('lead'));
  #noise = /** @type {HTMLInputElement} */ (byId('noise'));
  #samples = /** @type {HTMLInputElement} */ (byId('paths'));
  #seed = /** @type {HTMLInputElement} */ (byId('seed'));
  /** The number of paths when they were last on. */
  #paths = 8;
  /** What holds, whatever the box says. */
  #drawn = 0;

  /** @param {(change: Partial<Settings>) => void} onChange @param {(error: Refusal) => void} refuse */
  constructor(onChange, refuse) {
    this.#samples.max = String(MOST_SAMPLES);
    this.#seed.max = String(MOST_SEED);
    this.#glimpses.addEventListener('input', () => onChange({ glimpses: Number(this.#glimpses.value) }));
    this.#lead.addEventListener('input', () => onChange({ lead: Number(this.#lead.value) / 100 }));
    // Switched on it is as the weights say, whatever was moved before.
    this.#stop.addEventListener('change', () => onChange({ stop: this.#stop.checked, lead: undefined }));
    this.#noise.addEventListener('change', () => onChange({ samples: this.#noise.checked ? this.#paths : 0 }));
    this.#samples.addEventListener('input', () => onChange({ samples: Number(this.#samples.value) }));
    this.#seed.required = true;
    this.#seed.addEventListener('input', () => {
      if (this.#seed.validity.valid) onChange({ seed: Number(this.#seed.value) });
    });
    this.#seed.addEventListener('change', () => {
      if (this.#seed.validity.valid) return;
      this.#seed.value = String(this.#drawn);
      refuse(new Refusal(`The seed must be a whole number from 0 to ${MOST_SEED}; it is ${this.#drawn} again.`));
    });
    byId('again').addEventListener('click', () => onChange({ seed: (this.#drawn + 1) % (MOST_SEED + 1) }));
    byId('reset').addEventListener('click', () => {
      onChange(untouched());
      this.#glimpses.focus(); // it has disabled itself
    });
  }

  /** @param {Settings} settings @param {Model | undefined} model */
  show(settings, model) {
    const { lead, glimpses } = manner(settings, model);
    const { samples, seed, stop } = settings;
    if (samples > 0) this.#paths = samples;
    this.#drawn = seed;
    this.#glimpses.value = String(glimpses);
    byId('glimpses-value').textContent = String(glimpses);
    this.#stop.checked = stop;
    this.#stop.disabled = samples > 0;
    const sure = Math.round(100 * (lead || settings.lead || model?.fast?.lead || SURE));
    this.#lead.value = String(sure);
    this.#lead.disabled = !stop || samples > 0;
    byId('lead-value').textContent = `${sure} %`;
    byId('stop-note').textContent = stopNote(settings, model);
    this.#noise.checked = samples > 0;
    this.#samples.value = String(this.#paths);
    this.#samples.disabled = this.#seed.disabled = /** @type {HTMLButtonElement} */ (byId('again')).disabled = samples === 0;
    byId('paths-value').textContent = String(this.#paths);
    if (document.activeElement !== this.#seed) this.#seed.value = String(seed);
    byId('noise-note').textContent = `Each place is drawn from the policy’s Gaussian, its σ ${model && model.noise !== 1 ? `times ${model.noise} as when it learnt` : 'as in training'}; the answer is the mean.`;
    byId('how').textContent = inWords(settings, glimpses);
    /** @type {HTMLButtonElement} */ (byId('reset')).disabled = toLink(settings).length === 0;
  }
}

/** @param {Settings} settings @param {Model | undefined} model */
function stopNote({ samples }, model) {
  if (samples > 0) return 'A mean of several paths takes them to the end.';
  if (!model) return ' ';
  const rule = 'When one class is so far ahead after the first look, or by less after each more.';
  return model.fast ? `${rule} These weights say ${+(100 * model.fast.lead).toFixed(1)} %.` : `${rule} These weights do not say how far is enough.`;
}

/** @param {Settings} settings @param {number} glimpses */
function inWords({ stop, samples, pins }, glimpses) {
  const parts = [glimpses === 1 ? 'one look' : stop && samples === 0 ? `up to ${glimpses} looks` : `${glimpses} looks`];
  if (samples > 0) parts.push(`mean of ${samples} noisy path${samples === 1 ? '' : 's'}`);
  else if (stop) parts.push('until sure');
  parts.push(pins.length > 0 ? `${pins.length} chosen by you` : 'where its policy says');
  return parts.join(', ');
}

import { ranking } from '../engine/result.js';
import { GLIMPSE_SIZE, SCALES, STEPS } from '../engine/report.js';
import { byId, element } from './dom.js';
import { paint, share } from './stage.js';

/** @typedef {import('../engine/report.js').Report} Report */

const TOP = 5;

/** @param {string} label a class as its data set spells it */
export const readable = (label) => label.replaceAll('_', ' ');

/** @param {number} probability */
export function percent(probability) {
  if (probability > 0.9995) return '> 99.9 %';
  if (probability < 0.0005) return '< 0.1 %';
  return `${(100 * probability).toFixed(1)} %`;
}

/** @param {number} time */
export const milliseconds = (time) => `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`;

/** @param {number} count */
const inLooks = (count) => `${count} look${count === 1 ? '' : 's'}`;

/** One sentence for who listens. @param {Report} report @param {string[]} labels @param {Context['caution']} caution */
export function summary({ looks, others, probabilities }, labels, caution) {
  const [first, second] = ranking(probabilities, 2);
  const mean = others.length > 0 ? `, mean of ${others.length + 1} paths` : '';
  return `${readable(labels[first])}, ${percent(probabilities[first])}, after ${inLooks(looks.length)}${mean}; then ${readable(labels[second])}, ${percent(probabilities[second])}${caution ? `. But perhaps none of these: ${caution.reason}` : ''}.`;
}

/**
 * What the page knows of a result beside the report.
 * @typedef {object} Context
 * @property {string[]} labels
 * @property {Required<import('../engine/host.js').Manner>} manner how it was asked to look
 * @property {number} full looks that it would have taken without stopping early
 * @property {number} noise what the draws multiplied the policy's standard deviation with
 * @property {string} [truth] the label in the data set, for a sample
 * @property {{ reason: string, says: string }} [caution]
 */

/**
 * Shows the answer as it stood after the chosen look.
 *
 * @param {Report} report
 * @param {number} chosen
 * @param {Context} context
 */
export function showAnswer(report, chosen, context) {
  const { looks } = report;
  const { labels, truth, caution } = context;
  const now = looks[chosen].probabilities;
  const best = ranking(now, 1)[0];
  byId('label').textContent = readable(labels[best]);
  byId('after').replaceChildren(element('b', {}, percent(now[best])), ` after ${chosen + 1} of ${inLooks(looks.length)}${saved(report, context)}`);
  byId('note').replaceChildren(...(caution
    ? [element('b', {}, 'Perhaps none of these:'), ` ${caution.reason}. `, element('small', {}, caution.says)]
    : [truth ? `Labelled “${readable(truth)}” in the test set.` : '\u00a0']));
  byId('note').classList.toggle('caution', caution !== undefined);

  // The five of the final answer keep their rows, so that scrubbing moves bars, not rows.
  const kinds = ranking(report.probabilities, TOP);
  if (!kinds.includes(best)) kinds[kinds.length - 1] = best;
  const rows = kinds.map((kind) => {
    const history = element('span', { class: 'history', 'aria-hidden': 'true' });
    for (let i = 0; i < STEPS; i++) {
      const bar = element('i', { class: i === chosen ? 'now' : i < chosen ? 'past' : 'ahead' });
      bar.style.height = `${i < looks.length ? Math.max(3, 100 * looks[i].probabilities[kind]) : 0}%`;
      history.append(bar);
    }
    const meter = element('span', { class: 'meter', 'aria-hidden': 'true' }, element('i'));
    /** @type {HTMLElement} */ (meter.firstChild).style.width = `${100 * now[kind]}%`;
    return element('tr', { class: kind === best ? 'best' : '' },
      element('th', { scope: 'row' }, readable(labels[kind])),
      element('td', { class: 'course' }, history, element('span', { class: 'unseen' }, looks.map((look) => percent(look.probabilities[kind])).join(', '))),
      element('td', { class: 'share' }, meter, element('span', { class: 'number' }, percent(now[kind]))));
  });
  /** @type {HTMLTableElement} */ (byId('top')).tBodies[0].replaceChildren(...rows);
  showLook(report, chosen, context);
}

/** What stopping early was worth. @param {Report} report @param {Context} context */
function saved({ looks, others, lookTime }, { full }) {
  if (others.length > 0) return `, mean of ${others.length + 1} paths`;
  const spared = full - looks.length;
  if (spared === 0) return '';
  return `: sure enough, saving ${inLooks(spared)}, ${Math.round((100 * spared) / full)} % of the work or about ${milliseconds((lookTime / looks.length) * spared)}`;
}

/** What the network had before it at one look. @param {Report} report @param {number} chosen @param {Context} context */
function showLook({ looks }, chosen, { manner: { pins }, noise }) {
  const look = looks[chosen];
  const next = looks[chosen + 1];
  const own = (/** @type {number} */ i) => pins.some(({ step }) => step === i);
  byId('look-title').textContent = `Look ${chosen + 1}: what it saw`;
  byId('patches').replaceChildren(...Array.from({ length: SCALES }, (_, scale) => {
    const canvas = element('canvas', { width: GLIMPSE_SIZE, height: GLIMPSE_SIZE, 'aria-hidden': 'true' });
    paint(canvas, GLIMPSE_SIZE, (pixel) => 3 * (SCALES * pixel + scale), look.patches);
    return element('li', {}, canvas, element('span', {}, `${Math.round(100 * share(scale))} % wide`));
  }));
  /** @param {string} name @param {string} value @param {string} meaning */
  const fact = (name, value, meaning) => element('div', {}, element('dt', {}, name), element('dd', {}, element('b', {}, value), ' ', element('small', {}, meaning)));
  byId('facts').replaceChildren(
    fact('Place', `${signed(look.x)}, ${signed(look.y)}`, own(chosen) ? 'your choice, from −1 to 1' : 'from −1 to 1, left to right and top to bottom'),
    fact('Weight', look.weight.toFixed(2), chosen === 0 || own(chosen) ? `${chosen === 0 ? 'the first look' : 'a look of your choice'} counts 1` : `less, the wider its own σ, here ${sigma(look, 1)}`),
    next
      ? fact('Next', `σ ${sigma(next, noise)}`, `around ${signed(next.meanX)}, ${signed(next.meanY)}: the dashed ellipse${own(chosen + 1) ? '. You chose another' : ''}`)
      : fact('Next', 'none', 'it stopped here'),
  );
}

/** @param {import('../engine/report.js').Look} look @param {number} noise */
const sigma = ({ sigmaX, sigmaY }, noise) => `${(sigmaX * noise).toFixed(2)}, ${(sigmaY * noise).toFixed(2)}`;

/** @param {number} place */
const signed = (place) => (place < 0 ? '−' : '+') + Math.abs(place).toFixed(2);

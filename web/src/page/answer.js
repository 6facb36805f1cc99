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

/** Indices of the most probable classes. @param {Float32Array} probabilities */
export function ranking(probabilities) {
  return [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]).slice(0, TOP);
}

/** One sentence for who listens. @param {Report} report @param {string[]} labels */
export function summary({ looks, probabilities }, labels) {
  const [first, second] = ranking(probabilities);
  const count = `${looks.length} look${looks.length === 1 ? '' : 's'}`;
  return `${readable(labels[first])}, ${percent(probabilities[first])}, after ${count}; then ${readable(labels[second])}, ${percent(probabilities[second])}.`;
}

/**
 * Shows the answer as it stood after the chosen look.
 *
 * @param {Report} report
 * @param {string[]} labels
 * @param {number} chosen
 * @param {string} [truth] the label in the data set, for a sample
 */
export function showAnswer(report, labels, chosen, truth) {
  const { looks } = report;
  const now = looks[chosen].probabilities;
  const best = ranking(now)[0];
  byId('label').textContent = readable(labels[best]);
  byId('after').replaceChildren(
    element('b', {}, percent(now[best])),
    ` after ${chosen + 1} of ${looks.length} looks`,
    ...(looks.length < STEPS ? [`, stopped early, saving ${STEPS - looks.length}`] : []),
    ...(truth ? [` · labelled “${readable(truth)}” in the test set`] : []),
  );

  // The five of the final answer keep their rows, so that scrubbing moves bars, not rows.
  const rows = ranking(report.probabilities).map((kind) => {
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
  showLook(report, chosen);
}

/** What the network had before it at one look. @param {Report} report @param {number} chosen */
function showLook({ looks }, chosen) {
  const look = looks[chosen];
  byId('look-title').textContent = `Look ${chosen + 1}: what it saw`;
  byId('patches').replaceChildren(...Array.from({ length: SCALES }, (_, scale) => {
    const canvas = element('canvas', { width: GLIMPSE_SIZE, height: GLIMPSE_SIZE, 'aria-hidden': 'true' });
    paint(canvas, GLIMPSE_SIZE, (pixel) => 3 * (SCALES * pixel + scale), look.patches);
    return element('li', {}, canvas, element('span', {}, `${Math.round(100 * share(scale))} % wide`));
  }));
  /** @param {string} name @param {string} value @param {string} meaning */
  const fact = (name, value, meaning) => element('div', {}, element('dt', {}, name), element('dd', {}, element('b', {}, value), ' ', element('small', {}, meaning)));
  byId('facts').replaceChildren(
    fact('Place', `${signed(look.x)}, ${signed(look.y)}`, 'from −1 to 1, left to right and top to bottom'),
    fact('Weight', look.weight.toFixed(2), chosen === 0 ? 'the first look counts 1' : 'how much it counts, from 0 to 1: less the wider σ'),
    fact('σ', `${look.sigmaX.toFixed(2)}, ${look.sigmaY.toFixed(2)}`, 'spread of the draw, 0.61 sure to 1.65 unsure'),
  );
}

/** @param {number} place */
const signed = (place) => (place < 0 ? '−' : '+') + Math.abs(place).toFixed(2);

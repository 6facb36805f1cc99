import { fromBase64 } from '../bytes.js';
import { Refusal } from '../engine/host.js';
import { byId, element } from './dom.js';
import { readable } from './answer.js';

/**
 * A picture of the test set; web/build makes them from web/samples.
 * @typedef {object} Sample
 * @property {string} model
 * @property {string} label
 * @property {string} number its place in the test set
 * @property {string} png base64
 */

/** @param {Sample} sample */
export const sampleName = (sample) => `${readable(sample.label)}, test picture ${sample.number}`;

/** @param {Sample} sample */
export const sampleBlob = (sample) => new Blob([fromBase64(sample.png)], { type: 'image/png' });

/**
 * Shows the samples of a model.
 *
 * @param {Sample[]} samples
 * @param {(sample: Sample) => void} choose
 */
export function showSamples(samples, choose) {
  byId('samples').replaceChildren(...samples.map((sample) => {
    const button = element('button', { type: 'button', 'aria-pressed': 'false', 'data-sample': sample.label, 'data-number': sample.number },
      element('img', { src: `data:image/png;base64,${sample.png}`, alt: `Sample: ${readable(sample.label)}`, width: 64, height: 64, draggable: 'false' }));
    button.addEventListener('click', () => choose(sample));
    return element('li', {}, button);
  }));
}

/** Marks the sample that is shown, if any is. @param {string | undefined} label */
export function markSample(label) {
  for (const button of byId('samples').querySelectorAll('button')) {
    button.setAttribute('aria-pressed', String(button.dataset.sample === label));
  }
}

/**
 * The ways a person hands over a file: choosing, dropping anywhere, pasting anywhere.
 *
 * @param {(file: File, name: string) => void} take
 * @param {(error: Refusal) => void} refuse
 */
export function listenForFiles(take, refuse) {
  const input = /** @type {HTMLInputElement} */ (byId('file'));
  byId('choose').addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    input.value = ''; // so that the same file can be chosen again
    if (file) take(file, file.name);
  });

  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    document.body.classList.add('dropping');
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) document.body.classList.remove('dropping');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    document.body.classList.remove('dropping');
    const file = event.dataTransfer?.files[0];
    if (file) take(file, file.name);
    else refuse(new Refusal('What was dropped is not a file; save the picture first, then drop the file.'));
  });

  document.addEventListener('paste', (event) => {
    const file = event.clipboardData?.files[0];
    if (file) take(file, file.name || 'the pasted picture');
    else if (event.target !== byId('seed')) refuse(new Refusal('What was pasted is not a picture; copy a picture, or open its file.'));
  });
}

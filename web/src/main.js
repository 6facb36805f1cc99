import { loadBytes, loadText } from './assets.js';
import { Engine } from './engine/engine.js';
import { Refusal } from './engine/host.js';
import { readable, showAnswer, summary } from './page/answer.js';
import { byId, element } from './page/dom.js';
import { Looks } from './page/looks.js';
import { modelCards } from './page/models.js';
import { startPad } from './page/pad.js';
import { readPicture } from './page/picture.js';
import { listenForFiles, markSample, sampleBlob, sampleName, showSamples } from './page/sources.js';
import { showLooks, showPicture } from './page/stage.js';

/**
 * A picture to look at, and what is said of it.
 * @typedef {object} Subject
 * @property {import('./engine/host.js').Picture} picture
 * @property {string} name
 * @property {number} decodeTime milliseconds
 * @property {import('./page/sources.js').Sample} [sample]
 * @property {boolean} [live] it is still being drawn
 */

const HINT = 'You can also drop a picture anywhere on this page, or paste one.';

const engine = new Engine({
  engine: () => loadBytes('engine'),
  kernels: () => Promise.all(['simd', 'simd_relaxed'].map(loadBytes)),
  weights: (name) => loadBytes(`weights-${name}`),
});

/** What the person chose. */
let model = modelCards[0];
/** @type {Subject | undefined} */
let subject;
/** @type {import('./page/sources.js').Sample[]} */
let samples = [];

/** The last good result, which stays on the page whatever fails after it.
 * @type {{ report: import('./engine/report.js').Report, labels: string[], subject: Subject } | undefined} */
let shown;

const fast = /** @type {HTMLInputElement} */ (byId('fast'));
const stage = byId('stage');
const looks = new Looks((look) => {
  if (!shown) return;
  showLooks(shown.report, look, (chosen) => looks.choose(chosen));
  showAnswer(shown.report, shown.labels, look, shown.subject.sample?.label);
});

/** @param {unknown} error */
function refuse(error) {
  if (!(error instanceof Refusal)) console.error(error);
  const sentence = error instanceof Refusal ? error.message : 'Something went wrong on this page; reload it and try again.';
  const message = byId('message');
  message.textContent = sentence[0].toUpperCase() + sentence.slice(1) + (/[.!?]$/.test(sentence) ? '' : '.');
  message.classList.add('refusal');
  if (!shown) byId('wait').textContent = '';
}

function hint() {
  const message = byId('message');
  if (message.textContent !== HINT) message.textContent = HINT;
  message.classList.remove('refusal');
}

// One classification at a time. What is asked meanwhile replaces what was waiting: only the
// newest wish counts.
let busy = false;
let again = false;

async function look() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  do {
    again = false;
    await lookOnce();
  } while (again);
  busy = false;
}

async function lookOnce() {
  const asked = { subject, model, fast: fast.checked };
  stage.setAttribute('aria-busy', 'true');
  try {
    const { labels } = await engine.open(asked.model.name);
    if (asked.model === model) byId('knows').textContent = knows(labels);
    if (asked.subject) {
      const report = await engine.classify(asked.model.name, asked.subject.picture, { fast: asked.fast });
      if (asked.subject === subject && asked.model === model) show(report, labels, asked.subject);
    }
  } catch (error) {
    refuse(error);
  }
  stage.removeAttribute('aria-busy');
}

/** @param {string[]} labels */
function knows(labels) {
  const some = labels.length > 12 ? [...labels.slice(0, 10), `and ${labels.length - 10} more`] : labels;
  return `Trained on ${model.data}. Whatever it sees, it answers with one of these: ${some.map(readable).join(', ')}.`;
}

/**
 * @param {import('./engine/report.js').Report} report
 * @param {string[]} labels
 * @param {Subject} of
 */
function show(report, labels, of) {
  shown = { report, labels, subject: of };
  byId('wait').hidden = true;
  showPicture(report.picture, `${of.name}, as the network sees it: ${summary(report, labels)}`);
  looks.show(report, !of.live);
  byId('summary').textContent = summary(report, labels);
  byId('timing').textContent = [
    `decoded in ${milliseconds(of.decodeTime)}`,
    `prepared in ${milliseconds(report.prepareTime)}`,
    `looked in ${milliseconds(report.lookTime)}`,
    `Go as WebAssembly, ${engine.instructions}, ${engine.where === 'worker' ? 'in a worker' : 'in the page'}`,
  ].join(' · ');
  markSample(of.sample?.label);
  hint();
}

/** @param {number} time */
const milliseconds = (time) => `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`;

let taken = 0;

/**
 * @param {Blob} blob
 * @param {string} name
 * @param {import('./page/sources.js').Sample} [sample]
 */
async function takeBlob(blob, name, sample) {
  const turn = ++taken;
  try {
    const start = performance.now();
    const picture = await readPicture(blob, name);
    if (turn !== taken) return; // a newer choice was decoded sooner
    subject = { picture, name, sample, decodeTime: performance.now() - start };
    look();
  } catch (error) {
    refuse(error);
  }
}

/** @param {import('./page/sources.js').Sample} sample */
const takeSample = (sample) => takeBlob(sampleBlob(sample), sampleName(sample), sample);

/** @param {import('./page/models.js').ModelCard} card */
function chooseModel(card) {
  model = card;
  const own = samples.filter((sample) => sample.model === card.name);
  showSamples(own, takeSample);
  byId('draw').hidden = !card.draws;
  if (!card.draws) togglePad(false);
  // A picture of the person's own stays; a sample makes room for one that the model may know.
  if (own.length > 0 && (!subject || subject.sample || subject.live)) takeSample(own[0]);
  else look();
}

/** @param {boolean} open */
function togglePad(open) {
  byId('pad').hidden = !open;
  byId('draw').setAttribute('aria-expanded', String(open));
  if (open) byId('paper').focus();
}

function listModels() {
  modelCards.forEach((card, i) => {
    const input = element('input', { type: 'radio', name: 'model', value: card.name, checked: i === 0 });
    input.addEventListener('change', () => chooseModel(card));
    byId('models').append(element('label', {}, input, element('span', {}, card.title, ' ', element('small', {}, card.data))));
  });
}

async function start() {
  listModels();
  hint();
  fast.addEventListener('change', look);
  listenForFiles(takeBlob, refuse);
  byId('draw').addEventListener('click', () => togglePad(byId('pad').hidden === true));
  startPad((picture) => {
    subject = { picture, name: 'your drawing', decodeTime: 0, live: true };
    look();
  });
  byId('page').hidden = false;

  engine.open(model.name).catch(() => {}); // whoever needs it is told
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  try {
    samples = JSON.parse(await loadText('samples'));
  } catch (error) {
    refuse(error);
  }
  chooseModel(model);
}

start();

import kernels from 'virtual:kernels';
import { loadPacked, loadText, loadWeights } from './assets.js';
import { fromBase64 } from './bytes.js';
import { Engine } from './engine/engine.js';
import { Refusal } from './engine/host.js';
import { STEPS } from './engine/report.js';
import { describe } from './engine/result.js';
import { milliseconds, percent, readable, showAnswer, summary } from './page/answer.js';
import { Camera } from './page/camera.js';
import { caution } from './page/caution.js';
import { byId, element } from './page/dom.js';
import { Looks } from './page/looks.js';
import { modelCards, ownCard } from './page/models.js';
import { startPad } from './page/pad.js';
import { readPicture } from './page/picture.js';
import { Controls, fromLink, manner, pinned, toLink, untouched } from './page/settings.js';
import { copy, saveFilm, savePicture } from './page/share.js';
import { listenForFiles, markSample, sampleBlob, sampleName, showSamples } from './page/sources.js';
import { listenForPlaces, showLooks, showPicture } from './page/stage.js';

/**
 * @typedef {import('./page/models.js').ModelCard} ModelCard
 * @typedef {import('./page/sources.js').Sample} Sample
 */

/**
 * A picture to look at, and what is said of it.
 * @typedef {object} Subject
 * @property {import('./engine/host.js').Picture} picture
 * @property {string} name
 * @property {number} decodeTime milliseconds
 * @property {Sample} [sample]
 * @property {'pad' | 'camera'} [live] where it comes from, if it is still changing
 */

const HINT = 'Or drop or paste a picture anywhere on this page; or weights of your own, .safetensors.';
const MOST_WEIGHTS = 256 << 20; // bytes; a file of this network takes 2 to 5 MB

const cards = [...modelCards];

/** Whose weights were asked for, and have not failed, and how much of them is there. @type {Map<ModelCard, number>} */
const coming = new Map();

const engine = new Engine({
  engine: () => loadPacked('engine'),
  kernels: async () => kernels.map(fromBase64),
  weights: (name) => {
    const card = /** @type {ModelCard} */ (cards.find((one) => one.name === name));
    coming.set(card, 0);
    return loadWeights(name, card, (share) => showProgress(card, share));
  },
});

/** What the person chose. */
let card = cards[0];
let settings = untouched();
/** @type {Subject | undefined} */
let subject;
/** @type {Sample[]} */
let samples = [];

/** What the chosen weights say of themselves, once they are there. @type {import('./engine/host.js').Model | undefined} */
let model;

/** The last good result, which stays on the page whatever fails after it.
 * @type {{ report: import('./engine/report.js').Report, context: import('./page/answer.js').Context, subject: Subject, card: ModelCard } | undefined} */
let shown;

/** What it answered to a picture when it chose all looks itself. @type {{ subject: Subject, card: ModelCard, answer: string } | undefined} */
let byItself;

/** The look to stay at when the next result is there: the one that the person has just placed. @type {number | undefined} */
let stayAt;

const stage = byId('stage');
const looks = new Looks((look) => {
  if (!shown) return;
  const { report, context } = shown;
  showLooks(report, look, { noise: context.noise, pins: pinSteps(), choose: (chosen) => looks.choose(chosen) });
  showAnswer(report, look, context);
  showSteering();
});
const controls = new Controls((change) => changeSettings(change), refuse);

// ---- what is said

/** @param {unknown} error */
function refuse(error) {
  if (!(error instanceof Refusal)) console.error(error);
  const sentence = error instanceof Refusal ? error.message : 'Something went wrong on this page; reload it and try again.';
  const message = byId('message');
  message.textContent = sentence[0].toUpperCase() + sentence.slice(1) + (/[.!?]$/.test(sentence) ? '' : '.');
  message.classList.add('refusal');
  byId('wait').hidden = true;
}

function hint() {
  const message = byId('message');
  if (message.textContent !== HINT) message.textContent = HINT;
  message.classList.remove('refusal');
}

/** @param {ModelCard} of @param {number} share of its weights that are there */
function showProgress(of, share) {
  if (!coming.has(of)) return;
  coming.set(of, share);
  if (of !== card) return;
  const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(1);
  const text = `Loading the network: ${megabytes(share * of.bytes)} of ${megabytes(of.bytes)} MB`;
  byId('wait-text').textContent = text;
  const progress = /** @type {HTMLProgressElement} */ (byId('progress'));
  progress.hidden = false;
  progress.value = share;
  byId('wait').hidden = false;
}

/** @param {ModelCard} of */
function knows({ labels, data }) {
  const some = labels.length > 12 ? [...labels.slice(0, 10), `and ${labels.length - 10} more`] : labels;
  return `Trained on ${data}. Whatever it sees, it answers with one of these: ${some.map(readable).join(', ')}.`;
}

/** @param {import('./engine/report.js').Report} report @param {string[]} labels */
const answerOf = ({ label, probabilities }, labels) => `${readable(labels[label])}, ${percent(probabilities[label])}`;

/** The looks of the person's choice, as far as it came to them. */
function pinSteps() {
  if (!shown) return [];
  const { report, context } = shown;
  return context.manner.pins.map(({ step }) => step).filter((step) => step < report.looks.length);
}

/** The look that a click on the picture chooses: the next one, or the first where it has finished. */
function nextChoice() {
  if (!shown) return 0;
  const next = looks.chosen + 1;
  return next < shown.report.looks.length ? next : 0;
}

function showSteering() {
  if (!shown || shown.subject.live === 'camera') {
    byId('steer').textContent = '\u00a0';
    byId('free').hidden = true;
    return;
  }
  const pins = pinSteps();
  const alone = byItself?.subject === shown.subject && byItself.card === shown.card ? `; by itself ${byItself.answer}` : '';
  byId('steer').textContent = pins.length === 0
    ? `Click the picture: it looks there ${nextChoice() === 0 ? 'first' : `for look ${nextChoice() + 1}`}.`
    : `Your look${pins.length > 1 ? 's' : ''} ${pins.map((step) => step + 1).join(', ')}: ${answerOf(shown.report, shown.context.labels)}${alone}.`;
  byId('free').hidden = shown.context.manner.pins.length === 0;
}

// ---- looking

// One classification at a time. What is asked meanwhile replaces what was waiting: only the
// newest wish counts.
/** @type {Promise<void> | undefined} */
let busy;
let again = false;

/** @returns {Promise<void>} when everything that was asked is shown */
function look() {
  again = true;
  busy ??= (async () => {
    while (again) {
      again = false;
      await lookOnce();
    }
    busy = undefined;
  })();
  return busy;
}

/** What is under way that the person waits for; a camera is looked through without end. */
let works = 0;

/** @param {number} by */
function work(by) {
  works += by;
  stage.ariaBusy = works > 0 ? 'true' : null;
}

/** Tells lookOnce that another network was chosen than the one it waits for. */
let leave = () => {};

async function lookOnce() {
  const asked = { subject, card, settings, stayAt };
  const waited = Number(subject?.live !== 'camera');
  work(waited);
  try {
    const left = new Promise((resolve) => { leave = () => resolve(undefined); });
    const opening = engine.open(asked.card.name);
    showProgress(asked.card, coming.get(asked.card) ?? 0); // it may be on its way already
    const opened = await Promise.race([opening, left]);
    if (opened) coming.delete(asked.card);
    if (opened && asked.card === card) {
      model = opened;
      controls.show(settings, opened);
    }
    if (opened && asked.subject) {
      const wish = manner(asked.settings, opened);
      const report = await engine.classify(asked.card.name, asked.subject.picture, wish);
      if (asked.subject === subject && asked.card === card) show(report, asked.subject, opened, wish, asked.settings.glimpses ?? STEPS, asked.stayAt);
    } else if (opened && asked.card === card) {
      byId('wait').hidden = true; // there is nothing to look at yet
    }
  } catch (error) {
    coming.delete(asked.card); // the parts that still come are not told
    if (asked.card === card) refuse(error);
  }
  work(-waited);
}

/**
 * @param {import('./engine/report.js').Report} report
 * @param {Subject} of
 * @param {import('./engine/host.js').Model} by
 * @param {Required<import('./engine/host.js').Manner>} asked
 * @param {number} full looks without stopping early
 * @param {number | undefined} at the look to stay at
 */
function show(report, of, by, asked, full, at) {
  const fresh = shown?.subject !== of || shown.card !== card;
  const doubt = caution(card.name, report, asked.pins.length === 0);
  const said = summary(report, by.labels, doubt);
  shown = {
    report, subject: of, card,
    context: { labels: by.labels, manner: asked, full, noise: asked.samples > 0 ? by.noise : 1, truth: of.sample?.label, caution: doubt },
  };
  if (asked.pins.length === 0) byItself = { subject: of, card, answer: answerOf(report, by.labels) };
  byId('wait').hidden = true;
  showPicture(report.picture, `${of.name}, as the network sees it: ${said}`);
  looks.show(report, { play: fresh && !of.live, look: at, pins: pinSteps() });
  if (at === stayAt) stayAt = undefined;
  if (of.live !== 'camera') byId('summary').textContent = said;
  byId('timing').textContent = [
    `decoded in ${milliseconds(of.decodeTime)}`,
    `prepared in ${milliseconds(report.prepareTime)}`,
    `looked in ${milliseconds(report.lookTime)}`,
    `Go as WebAssembly, ${engine.instructions}, ${engine.where === 'worker' ? 'in a worker' : 'in the page'}`,
  ].join(' · ');
  markSample(of.sample?.label);
  for (const id of ['here', 'copy-link', 'copy-json', 'save-png', 'save-gif']) byId(id).removeAttribute('disabled');
  hint();
}

/** @param {Partial<import('./page/settings.js').Settings>} change */
function changeSettings(change) {
  settings = { ...settings, ...change };
  controls.show(settings, model);
  writeLink();
  look();
}

// ---- where pictures come from

let taken = 0; // choices of a picture so far
let onItsWay = NaN; // which of them is of a picture of the person's own that is not there yet
let weighed = 0; // choices of weights

/**
 * @param {Subject} chosen
 * @param {import('./engine/host.js').Pin[]} pins looks at it that the person chose; those at another picture mean nothing here
 */
function take(chosen, pins = []) {
  settings = { ...settings, pins };
  stayAt = undefined;
  if (!chosen.live || chosen.live !== subject?.live) writeLink();
  subject = chosen;
  controls.show(settings, model);
  return look();
}

/**
 * @param {Blob} blob
 * @param {string} name
 * @param {Sample} [sample]
 * @param {import('./engine/host.js').Pin[]} [pins]
 */
async function takeBlob(blob, name, sample, pins) {
  if (/\.(safetensors|pth|pt)$/i.test(name)) return takeWeights(blob, name);
  const turn = ++taken;
  if (!sample) onItsWay = turn;
  work(1);
  try {
    const start = performance.now();
    const picture = await readPicture(blob, name, (...asked) => engine.decode(...asked));
    if (turn !== taken) return; // a newer choice was decoded sooner
    stopCamera();
    onItsWay = NaN;
    await take({ picture, name, sample, decodeTime: performance.now() - start }, pins);
  } catch (error) {
    if (turn !== taken) return;
    onItsWay = NaN;
    refuse(error);
  } finally {
    work(-1);
  }
}

/** @param {Sample} sample @param {import('./engine/host.js').Pin[]} [pins] */
const takeSample = (sample, pins) => takeBlob(sampleBlob(sample), sampleName(sample), sample, pins);

/** @param {Blob} blob @param {string} name */
async function takeWeights(blob, name) {
  work(1);
  try {
    await openWeights(blob, name);
  } catch (error) {
    refuse(error);
  } finally {
    work(-1);
  }
}

/** @param {Blob} blob @param {string} name */
async function openWeights(blob, name) {
  const turn = ++weighed;
  const before = card;
  if (blob.size > MOST_WEIGHTS) throw new Refusal(`“${name}” has ${Math.round(blob.size / 1e6)} MB; weights of this network take a few. Choose another file`);
  const bytes = await blob.arrayBuffer().catch(() => {
    throw new Refusal(`“${name}” cannot be read any more; choose it again`);
  });
  let opened;
  try {
    opened = await engine.add('own', new Uint8Array(bytes));
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(`“${name}” cannot be used: ${error.message}`) : error;
  }
  const own = ownCard(name, blob.size, opened);
  const old = cards.findIndex((one) => one.name === own.name);
  if (old < 0) cards.push(own);
  else cards[old] = own;
  // Whoever chose another network meanwhile keeps it, unless these took its place.
  const wanted = (turn === weighed && card === before) || card.name === own.name;
  listModels(wanted ? own : card);
  if (wanted) await chooseModel(own);
}

const camera = new Camera(
  (picture) => take({ picture, name: 'what the camera sees', decodeTime: 0, live: 'camera' }),
  (perSecond) => {
    byId('rate').textContent = `Live, ${perSecond.toFixed(perSecond < 10 ? 1 : 0)} pictures a second`;
  },
  async () => {
    stopCamera();
    await busy; // its last picture
    refuse(new Refusal('The camera has stopped; connect it again, or open a picture instead.'));
  },
);

async function toggleCamera() {
  if (camera.on) {
    stopCamera();
    if (shown) byId('summary').textContent = summary(shown.report, shown.context.labels, shown.context.caution);
    return;
  }
  const turn = onItsWay = ++taken;
  try {
    await camera.start();
    if (!camera.on) return; // another picture was chosen meanwhile
    byId('rate').hidden = false;
    byId('rate').textContent = 'Live';
    byId('camera').setAttribute('aria-pressed', 'true');
    byId('camera').textContent = 'Stop camera';
  } catch (error) {
    if (turn !== taken) return; // then, too, it is no longer wanted
    onItsWay = NaN;
    stopCamera();
    refuse(error);
  }
}

/** The last picture stays, as a still. */
function stopCamera() {
  camera.stop();
  if (subject?.live === 'camera') {
    subject.live = undefined;
    showSteering();
  }
  byId('rate').hidden = true;
  byId('rate').textContent = '';
  byId('camera').setAttribute('aria-pressed', 'false');
  byId('camera').textContent = 'Camera';
}

let hasPad = false;

/** @param {boolean} open */
function togglePad(open) {
  if (open && !hasPad) {
    hasPad = true; // not before: whoever never draws does not wait for it
    startPad((picture) => {
      taken++;
      stopCamera();
      take({ picture, name: 'your drawing', decodeTime: 0, live: 'pad' });
    });
  }
  byId('pad').hidden = !open;
  byId('draw').setAttribute('aria-expanded', String(open));
  if (open) byId('paper').focus();
}

// ---- networks

/** @param {ModelCard} chosen */
function listModels(chosen) {
  byId('models').querySelectorAll('label').forEach((label) => label.remove());
  for (const one of cards) {
    const input = element('input', { type: 'radio', name: 'model', value: one.name, checked: one === chosen });
    input.addEventListener('change', () => chooseModel(one));
    byId('models').append(element('label', {}, input, element('span', {}, element('span', { class: 'name' }, one.title), ' ', element('small', {}, one.data))));
  }
}

/**
 * @param {ModelCard} chosen
 * @param {Sample} [sample] to look at, with pins in it; else a picture of the person's own stays, and a sample makes room for
 *   one that the model may know
 * @param {import('./engine/host.js').Pin[]} [pins]
 */
async function chooseModel(chosen, sample, pins) {
  card = chosen;
  model = undefined;
  leave();
  const own = samples.filter(({ model: name }) => name === chosen.samples);
  showSamples(own, takeSample);
  markSample(subject?.sample?.label);
  byId('knows').textContent = knows(chosen);
  byId('draw').hidden = !chosen.draws;
  if (!chosen.draws) togglePad(false);
  const replaceable = onItsWay !== taken && (!subject || subject.live === 'pad' || (subject.sample && !own.includes(subject.sample)));
  if (sample ?? (replaceable && own[0])) {
    await takeSample(sample ?? own[0], pins);
  } else {
    writeLink();
    await look();
  }
}

// ---- links

/** The page as it is, but for pictures and networks of the person's own, which no link can hold. */
function linkOf() {
  /** @type {[string, string][]} */
  const parts = [];
  const name = card.parts > 0 ? card.name : subject?.sample?.model;
  if (name) parts.push(['model', name]);
  if (subject?.sample) parts.push(['picture', `${subject.sample.label}-${subject.sample.number}`]);
  parts.push(...toLink(settings));
  return `#${parts.map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll('%2C', ',')}`).join('&')}`;
}

/** Whether the first picture is there; from then on all changes are the person's. */
let began = false;

let writing = 0;

/** Keeps the address in step, but not at every step of a slider: browsers count, and forbid what is too much. */
function writeLink() {
  clearTimeout(writing);
  const { hash } = location;
  if (began) writing = setTimeout(() => {
    if (location.hash === hash) history.replaceState(null, '', linkOf()); // else the person changed it, and readLink is about to be told
  }, 250);
}

/** Shows what the address asks for; what it asks wrongly is told once the rest is there. */
async function readLink() {
  clearTimeout(writing);
  const link = new URLSearchParams(location.hash.slice(1));
  let chosen = cards[0];
  /** @type {Sample | undefined} */
  let sample;
  /** @type {unknown} */
  let complaint;
  settings = untouched();
  try {
    const name = link.get('model');
    if (name !== null) {
      const found = cards.find((one) => one.name === name);
      if (!found) throw new Refusal(`The link asks for the network “${name}”; this page has ${cards.map((one) => one.name).join(', ')}. It shows the first instead.`);
      chosen = found;
    }
    const picture = link.get('picture');
    if (picture !== null) {
      sample = samples.find((one) => one.model === chosen.samples && `${one.label}-${one.number}` === picture);
      if (!sample) throw new Refusal(`The link asks for the picture “${picture}”, which is not among the samples. The page shows the first instead.`);
    }
    settings = fromLink(link);
  } catch (error) {
    complaint = error;
  }
  listModels(chosen);
  controls.show(settings, undefined);
  subject = undefined;
  onItsWay = NaN;
  await chooseModel(chosen, sample, settings.pins);
  if (complaint) refuse(complaint);
}

// ---- start

function listenForShares() {
  const says = (/** @type {string} */ text) => {
    byId('done').textContent = '';
    setTimeout(() => (byId('done').textContent = text)); // said again, also when it is the same
  };
  /** @param {string} id @param {(result: NonNullable<typeof shown>) => Promise<string> | string} action */
  const on = (id, action) => byId(id).addEventListener('click', async () => {
    if (!shown) return;
    try {
      says(await action(shown));
    } catch (error) {
      refuse(error);
    }
  });
  const fileName = (/** @type {NonNullable<typeof shown>} */ { report, context }) => `${context.labels[report.label]}-in-${report.looks.length}-looks`.replace(/[^\w-]+/g, '-');
  on('copy-link', async (result) => {
    await copy(location.href.split('#')[0] + linkOf());
    const own = [...(result.subject.sample ? [] : ['picture']), ...(result.card.parts > 0 ? [] : ['network'])];
    if (own.length === 0) return 'Link copied.';
    const has = result.subject.sample ? 'picture and settings' : 'settings';
    return `Link copied; it has the ${has}, but not your ${own.join(' and ')}, which ${own.length > 1 ? 'stay' : 'stays'} here.`;
  });
  on('copy-json', async ({ report, context, subject: of, card: by }) => {
    const { labels, manner: asked } = context;
    const result = {
      file: of.name, model: by.name === 'own' ? by.title : by.name, ...describe(report, labels, 5), asked,
      milliseconds: { decode: of.decodeTime, prepare: report.prepareTime, look: report.lookTime }, engine: engine.instructions,
    };
    await copy(`${JSON.stringify(result, null, 2)}\n`);
    return 'Result copied as JSON.';
  });
  on('save-png', async (result) => {
    await savePicture(fileName(result), result.report, looks.chosen, result.context);
    return 'Picture saved.';
  });
  on('save-gif', (result) => {
    saveFilm(fileName(result), result.report, result.context);
    return 'Animation saved.';
  });
}

async function start() {
  const linked = new URLSearchParams(location.hash.slice(1)).get('model');
  engine.open((cards.find((one) => one.name === linked) ?? cards[0]).name).catch(() => {}); // whoever needs it is told
  listModels(card);
  controls.show(settings, model);
  byId('knows').textContent = knows(card);
  byId('draw').hidden = !card.draws;
  hint();
  listenForFiles(takeBlob, refuse);
  listenForShares();
  listenForPlaces((x, y) => {
    if (!shown || shown.subject !== subject || subject.live === 'camera') return;
    stayAt = nextChoice();
    changeSettings(pinned({ ...settings, pins: shown.context.manner.pins }, { step: stayAt, x, y }));
  });
  byId('free').addEventListener('click', () => {
    stayAt = looks.chosen;
    changeSettings({ pins: [] });
    byId('here').focus();
  });
  byId('camera').addEventListener('click', toggleCamera);
  byId('draw').addEventListener('click', () => togglePad(byId('pad').hidden === true));
  addEventListener('hashchange', readLink);
  byId('page').hidden = false;

  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  try {
    samples = JSON.parse(await loadText('samples'));
  } catch (error) {
    refuse(error);
  }
  await readLink();
  began = true;
  // Not before: what it fetches would hold up the first answer.
  if (document.querySelector('link[rel=manifest]')) navigator.serviceWorker?.register('sw.js').catch(console.error);
}

start();

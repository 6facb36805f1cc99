// Drives Debian's Chromium against the page as a person opens it: from the file system, with
// the network off.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

export const top = fileURLToPath(new URL('../..', import.meta.url));
export const screenshots = path.join(top, 'web/dist/screenshots');

// Milliseconds. They end what would wait for ever, and say nothing of how fast a page is to be: the machine may be busy.
export const PATIENCE = 2 * 60_000; // with one thing that a page is to do
const LIMIT = 10 * 60_000; // of a whole test: Playwright waits without end for code that it runs in a page

export function launch(...flags) {
  mkdirSync(screenshots, { recursive: true });
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', ...flags],
  });
}

/**
 * Opens the page of a folder in a fresh context. `page.trouble` collects what must not happen:
 * requests that leave the page, errors, violations of the security policy.
 */
export async function open(browser, { at = top, address = undefined, before = undefined, permissions = [], waitUntil = 'load', ...options } = {}) {
  const context = await browser.newContext({
    offline: true, reducedMotion: 'reduce', viewport: { width: 1280, height: 900 }, ...options,
  });
  context.setDefaultTimeout(PATIENCE);
  if (permissions.length > 0) await context.grantPermissions(permissions);
  const page = await context.newPage();
  page.trouble = [];
  page.on('request', (request) => {
    if (!/^(file|data|blob):/.test(request.url()) && !(address && request.url().startsWith(new URL('/', address).href))) page.trouble.push(`request ${request.url()}`);
  });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.trouble.push(message.text());
  });
  page.on('pageerror', (error) => page.trouble.push(String(error)));
  if (before) await page.addInitScript(before);
  await page.goto(address ?? pathToFileURL(path.join(at, 'index.html')).href, { waitUntil });
  return page;
}

/**
 * Launches a browser for the tests of a file. What it returns makes tests: each runs on a fresh page, and
 * nothing untoward may happen there.
 */
export function pages(...flags) {
  let browser;
  before(async () => { browser = await launch(...flags); });
  after(async () => {
    await browser?.close();
    removeFolders();
  });
  return (f, { with: other, ...options } = {}) => async () => {
    const page = await open(other ?? browser, options);
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`The test took longer than ${LIMIT / 60_000} minutes.`)), LIMIT);
    });
    try {
      await Promise.race([f(page), late]);
      assert.deepEqual(page.trouble, []);
    } finally {
      clearTimeout(timer);
      await page.context().close();
    }
  };
}

/** Builds the page in its other shapes, into folders of their own. */
export function builds() {
  const to = folder();
  const made = { offline: path.join(to, 'gdram.html'), site: path.join(to, 'site'), packed: path.join(to, 'package') };
  execFileSync('go', ['run', './web/build', '-offline', made.offline, '-site', made.site, '-package', made.packed], { cwd: top, stdio: ['ignore', 'ignore', 'inherit'] });
  return made;
}

export const weights = path.join(top, 'weights');
export const models = readdirSync(weights).filter((name) => name.endsWith('.safetensors')).map((name) => name.replace('.safetensors', ''));
/** The samples of a model: label and number. */
export const samplesOf = (model) => readdirSync(path.join(top, 'web/samples', model)).map((name) => name.replace('.png', '').split('-'));

let program;

/** What the command line says of pictures; the path of each within the project. */
export function predicted(model, files, ...flags) {
  if (!program) {
    program = path.join(folder(), 'gdram');
    execFileSync('go', ['build', '-o', program, './core/cmd/gdram'], { cwd: top });
  }
  const lines = execFileSync(program, ['predict', '--json', '--weights', path.join(weights, `${model}.safetensors`), ...flags, ...files], { cwd: top, encoding: 'utf8' });
  return lines.trim().split('\n').map((line) => JSON.parse(line));
}

export const sampleFile = (model, [label, number]) => `web/samples/${model}/${label}-${number}.png`;

export function near(got, want, tolerance, what) {
  assert.ok(Math.abs(got - want) <= tolerance, `${what}: got ${got}, want ${want}`);
}

export async function chooseModel(page, model) {
  await page.locator(`#models input[value="${model}"]`).check({ force: true });
  await page.waitForSelector(`#models input[value="${model}"]:checked`);
}

const folders = [];

/** An empty folder, until removeFolders. */
export function folder() {
  folders.push(mkdtempSync(path.join(tmpdir(), 'gdram-page-')));
  return folders.at(-1);
}

export function removeFolders() {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true });
}

/** A copy of the built page that a test may damage. */
export function copyOfPage() {
  const copy = folder();
  cpSync(path.join(top, 'index.html'), path.join(copy, 'index.html'));
  cpSync(path.join(top, 'web/dist'), path.join(copy, 'web/dist'), { recursive: true });
  return copy;
}

/** What the page shows, once `subject` (part of the picture's description) has been looked at. */
export async function shown(page, subject = '') {
  await page.waitForFunction((wanted) => {
    const idle = !document.getElementById('stage').hasAttribute('aria-busy');
    const said = document.getElementById('picture').getAttribute('aria-label');
    return idle && said.includes('as the network sees it') && said.includes(wanted);
  }, subject);
  return page.evaluate(() => ({
    label: document.getElementById('label').textContent,
    after: document.getElementById('after').textContent,
    note: document.getElementById('note').textContent,
    summary: document.getElementById('summary').textContent,
    picture: document.getElementById('picture').getAttribute('aria-label'),
    rows: [...document.querySelectorAll('#top tbody tr')].map((row) => row.querySelector('th').textContent),
    shares: [...document.querySelectorAll('#top .number')].map((cell) => Number(cell.textContent.replace(/[^\d.]/g, ''))),
    others: document.querySelectorAll('#overlay .path.other').length,
    courses: [...document.querySelectorAll('#top .course .unseen')].map((cell) => cell.textContent.split(', ').map((share) => Number(share.replace(/[^\d.]/g, '')))),
    steer: document.getElementById('steer').textContent,
    places: [...document.querySelectorAll('#overlay .marker')]
      .map((marker) => ({ number: Number(marker.textContent), spot: marker.querySelector('.spot') }))
      .sort((a, b) => a.number - b.number)
      .map(({ spot }) => ({ x: Number(spot.getAttribute('cx')) / 256 - 1, y: Number(spot.getAttribute('cy')) / 256 - 1 })),
    markers: document.querySelectorAll('#overlay .marker').length,
    looks: document.querySelectorAll('#looks input:enabled').length,
    patches: document.querySelectorAll('#patches canvas').length,
    message: document.getElementById('message').textContent,
    refused: document.getElementById('message').classList.contains('refusal'),
    timing: document.getElementById('timing').textContent,
  }));
}

/**
 * Waits until the page takes what is drawn for the digit `wanted`, and returns how bright the middle of that picture is. Half a stroke
 * has an answer, too: whoever draws waits for one that only the whole has.
 */
export async function drawn(page, wanted) {
  const seen = await page.waitForFunction((digit) => {
    const picture = document.getElementById('picture');
    const answered = picture.getAttribute('aria-label').startsWith('your drawing, as the network sees it') && document.getElementById('label').textContent === digit;
    return answered && { middle: picture.getContext('2d').getImageData(64, 64, 1, 1).data[0] };
  }, wanted);
  return (await seen.jsonValue()).middle;
}

/** The sentence with which the page refuses. */
export async function refusal(page) {
  await page.waitForSelector('#message.refusal');
  return page.textContent('#message');
}

/** Draws a picture in the page and returns its file: `paint` gets a 2D context, width and height. */
export async function draw(page, width, height, paint, type = 'image/png') {
  const address = await page.evaluate(([w, h, source, kind]) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: w, height: h });
    const context = canvas.getContext('2d');
    const steps = { // no code from strings: the page's policy forbids it
      halves: () => {
        context.fillStyle = '#ff0000';
        context.fillRect(0, 0, w, h / 2);
        context.fillStyle = '#0000ff';
        context.fillRect(0, h / 2, w, h / 2);
      },
      wall: () => {
        context.fillStyle = '#8a9a7a';
        context.fillRect(0, 0, w, h);
      },
    };
    steps[source]();
    return canvas.toDataURL(kind, 0.95);
  }, [width, height, paint, type]);
  return Buffer.from(address.slice(address.indexOf(',') + 1), 'base64');
}

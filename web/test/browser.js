// Drives Debian's Chromium against the page as a person opens it: from the file system, with
// the network off.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

export const top = fileURLToPath(new URL('../..', import.meta.url));
export const screenshots = path.join(top, 'web/dist/screenshots');

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
export async function open(browser, { at = top, before = undefined, ...options } = {}) {
  const context = await browser.newContext({
    offline: true, reducedMotion: 'reduce', viewport: { width: 1280, height: 900 }, ...options,
  });
  const page = await context.newPage();
  page.trouble = [];
  page.on('request', (request) => {
    if (!/^(file|data|blob):/.test(request.url())) page.trouble.push(`request ${request.url()}`);
  });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.trouble.push(message.text());
  });
  page.on('pageerror', (error) => page.trouble.push(String(error)));
  if (before) await page.addInitScript(before);
  await page.goto(pathToFileURL(path.join(at, 'index.html')).href);
  return page;
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
  }, subject, { timeout: 30000 });
  return page.evaluate(() => ({
    label: document.getElementById('label').textContent,
    after: document.getElementById('after').textContent,
    summary: document.getElementById('summary').textContent,
    picture: document.getElementById('picture').getAttribute('aria-label'),
    rows: [...document.querySelectorAll('#top tbody tr')].map((row) => row.querySelector('th').textContent),
    shares: [...document.querySelectorAll('#top .number')].map((cell) => Number(cell.textContent.replace(/[^\d.]/g, ''))),
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
    };
    steps[source]();
    return canvas.toDataURL(kind, 0.95);
  }, [width, height, paint, type]);
  return Buffer.from(address.slice(address.indexOf(',') + 1), 'base64');
}

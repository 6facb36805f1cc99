// The page in a Firefox as it is shipped, by WebDriver BiDi. Where there is none, this is left out.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import puppeteer from 'puppeteer-core';
import { PATIENCE, builds, folder, models, near, predicted, removeFolders, sampleFile, samplesOf, screenshots, top } from './browser.js';

const executablePath = process.env.FIREFOX || '/usr/bin/firefox-esr';

describe('in Firefox', { skip: existsSync(executablePath) ? false : `there is no ${executablePath}` }, () => {
  let browser;
  before(async () => {
    mkdirSync(screenshots, { recursive: true });
    browser = await puppeteer.launch({
      browser: 'firefox', executablePath, timeout: PATIENCE, extraPrefsFirefox: { 'ui.prefersReducedMotion': 1 }, env: { ...process.env, HOME: folder() },
    });
  });
  after(async () => {
    await browser?.close();
    removeFolders();
  });

  /** Runs f on a page on which nothing untoward may happen. */
  const onPage = (f, address = () => pathToFileURL(path.join(top, 'index.html')).href) => async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    const trouble = [];
    page.on('console', (message) => { if (['error', 'warn'].includes(message.type())) trouble.push(message.text()); });
    page.on('pageerror', (error) => trouble.push(String(error)));
    await page.setViewport({ width: 1280, height: 900 });
    await page.goto(address());
    try {
      await f(page);
      assert.deepEqual(trouble, []);
    } finally {
      await page.close();
    }
  };

  const shown = async (page, subject) => {
    await page.waitForFunction((wanted) => !document.getElementById('stage').hasAttribute('aria-busy')
      && document.getElementById('picture').getAttribute('aria-label').includes(`${wanted}, as the network sees it`), {}, subject);
    return page.evaluate(() => ({
      label: document.getElementById('label').textContent,
      shares: [...document.querySelectorAll('#top .number')].map((cell) => Number(cell.textContent.replace(/[^\d.]/g, ''))),
      looks: document.querySelectorAll('#looks input:enabled').length,
      timing: document.getElementById('timing').textContent,
    }));
  };
  const nameOf = ([label, number]) => `${label.replaceAll('_', ' ')}, test picture ${number}`;

  for (const model of models) {
    test(`every sample of ${model} is answered as the command line does`, onPage(async (page) => {
      await shown(page, nameOf(samplesOf('mnist')[0]));
      await page.evaluate((name) => document.querySelector(`#models input[value="${name}"]`).click(), model);
      const command = predicted(model, samplesOf(model).map((sample) => sampleFile(model, sample)));
      for (const [i, sample] of samplesOf(model).entries()) {
        await page.waitForSelector(`#samples [data-sample="${sample[0]}"]`);
        await page.click(`#samples [data-sample="${sample[0]}"]`);
        const result = await shown(page, nameOf(sample));
        assert.equal(result.label, command[i].label.replaceAll('_', ' '));
        near(result.shares[0], 100 * command[i].probability, 0.11, sample[0]);
        assert.match(result.timing, /Go as WebAssembly, (relaxed SIMD|SIMD), in a worker/);
      }
      await page.screenshot({ path: path.join(screenshots, `${model}-firefox.png`), fullPage: true });
    }));
  }

  test('it takes a file, fewer looks and a place, and saves', onPage(async (page) => {
    await shown(page, nameOf(samplesOf('mnist')[0]));
    const input = await page.$('#file');
    await input.uploadFile(path.join(top, sampleFile('cifar10', samplesOf('cifar10')[0])));
    await shown(page, 'airplane-27.png');
    await page.click('.panel summary');
    await page.focus('#glimpses');
    for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowLeft');
    await page.waitForFunction(() => document.querySelectorAll('#looks input:enabled').length === 4);
    await page.click('#here', { offset: { x: 40, y: 60 } });
    await page.waitForFunction(() => /^Your look 1: /.test(document.getElementById('steer').textContent));
    await page.evaluate(() => {
      window.saved = [];
      const { createObjectURL } = URL;
      URL.createObjectURL = (blob) => {
        window.saved.push([blob.type, blob.size]);
        return createObjectURL(blob);
      };
      HTMLAnchorElement.prototype.click = () => {};
    });
    for (const id of ['#save-png', '#save-gif']) await page.click(id);
    await page.waitForFunction(() => window.saved.length === 2);
    const saved = await page.evaluate(() => window.saved);
    assert.deepEqual(saved.map(([type]) => type).toSorted(), ['image/gif', 'image/png']);
    for (const [type, size] of saved) assert.ok(size > 20000, `${type} of ${size} bytes`);
  }));

  let made;
  before(() => { made = builds(); });
  test('it works in a single file', onPage(async (page) => {
    assert.equal((await shown(page, nameOf(samplesOf('mnist')[0]))).looks, 8);
  }, () => pathToFileURL(made.offline).href));
});

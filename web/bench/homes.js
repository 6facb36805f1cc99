// The shipped engine's answers to pictures, wherever it runs: the logits of each picture.
import { readFileSync } from 'node:fs';
import { startInNode } from './built.js';
import { ofHost, pictures } from './engines.js';

/**
 * @param {{ weights: string, mode: keyof typeof import('./engines.js').modes }} engine weights is a file
 * @param {Uint8Array} bytes [count][128][128][3]
 * @param {number[][][]} [places] [picture][8][x, y], instead of the policy's
 */
export async function inNode({ weights, mode }, bytes, places) {
  const engine = ofHost(await startInNode(mode, readFileSync(weights)), 'network');
  return pictures(bytes).map((picture, i) => [...engine(picture, places?.[i]).logits]);
}

/**
 * The same in Chromium; the server has the pictures and the weights.
 * @param {import('playwright-core').Browser} browser
 * @param {{ address: string }} server
 */
export async function inPage(browser, server, mode, places) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(`${server.address}/web/bench/page/race.html`);
    return await page.evaluate(async ([kernels, given]) => {
      const [{ start }, { pictures: split }] = await Promise.all([import('/web/bench/page/ours.js'), import('/web/bench/engines.js')]);
      const engine = await start(kernels);
      return split(new Uint8Array(await (await fetch('/pictures')).arrayBuffer())).map((picture, i) => [...engine(picture, given?.[i]).logits]);
    }, [mode, places]);
  } finally {
    await context.close();
  }
}

// The shipped engine's answers to pictures, wherever it runs: the logits of each picture.
import { startInNode, unpack } from '../test/engine.js';
import { ofHost, pictures } from './engines.js';

/**
 * @param {string} model
 * @param {keyof typeof import('../test/engine.js').modes} mode
 * @param {Uint8Array} bytes [count][128][128][3]
 */
export async function inNode(model, mode, bytes) {
  const host = await startInNode(mode);
  if (host.instructions !== mode) throw new Error(`the engine runs with ${host.instructions} in Node, not ${mode}`);
  host.open(model, unpack(`weights-${model}`));
  const engine = ofHost(host, model);
  return pictures(bytes).map((picture) => [...engine(picture).logits]);
}

/**
 * In Chromium; the server has the pictures.
 * @param {import('playwright-core').Browser} browser
 * @param {{ address: string }} server
 */
export async function inPage(browser, server, model, versions) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(`${server.address}/web/bench/page/race.html`);
    return await page.evaluate(async (args) => {
      const [{ start }, { pictures: split }] = await Promise.all([import('/web/bench/page/ours.js'), import('/web/bench/engines.js')]);
      const engine = await start(...args);
      return split(new Uint8Array(await (await fetch('/pictures')).arrayBuffer())).map((picture) => [...engine(picture).logits]);
    }, [model, versions]);
  } finally {
    await context.close();
  }
}

// The page as it is handed on: over http, installed, and in a single file.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { PATIENCE, builds, chooseModel, folder, models, near, pages, predicted, refusal, sampleFile, samplesOf, shown, top } from './browser.js';
import { serve } from './server.js';

const onPage = pages();
const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; style-src 'self'; img-src 'self' data: blob:; manifest-src 'self'; connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

let made;
before(() => { made = builds(); });

const servers = [];
after(() => Promise.all(servers.map((server) => server.close())));
async function served(folderOf, options) {
  const server = await serve(folderOf, options);
  servers.push(server);
  return server;
}

/** The answers of the page for a sample of each model are those of the command line. */
async function answers(page) {
  for (const model of models) {
    await chooseModel(page, model);
    const sample = samplesOf(model)[0];
    const result = await shown(page, `${sample[0].replaceAll('_', ' ')}, test picture ${sample[1]}`);
    const [command] = predicted(model, [sampleFile(model, sample)]);
    assert.equal(result.label, command.label.replaceAll('_', ' '));
    near(result.shares[0], 100 * command.probability, 0.11, model);
  }
}

describe('over http', () => {
  test('it answers under a strict policy, and takes less than 1.0 MB before its weights', async () => {
    const server = await served(top, { headers: { 'content-security-policy': STRICT } });
    await onPage(async (page) => {
      await shown(page);
      await answers(page);
      const before = [...server.sent].filter(([name]) => !name.includes('/weights-'));
      const bytes = before.reduce((sum, [, size]) => sum + size, 0);
      console.log(`# ${bytes} bytes, gzipped, in ${before.length} files before the weights`);
      assert.ok(bytes < 1.0e6, `${bytes} bytes`);
      assert.ok(bytes > 0.5e6, 'and that is with the engine');
    }, { address: server.address, offline: false })();
  });

  test('a network that does not come holds up no other', async () => {
    const server = await served(top);
    server.hold = (name) => (name.endsWith('/weights-cifar100-3.js') ? new Promise(() => {}) : undefined);
    await onPage(async (page) => {
      await shown(page);
      await chooseModel(page, 'cifar100');
      await page.waitForFunction(() => document.getElementById('wait-text').textContent.endsWith('1.7 of 2.3 MB'));
      assert.equal(await page.isVisible('#wait'), true);
      await chooseModel(page, 'mnist');
      await page.click('#samples [data-sample="7"]');
      assert.equal((await shown(page, '7, test picture')).label, '7');
      assert.equal(await page.isVisible('#wait'), false);
      await chooseModel(page, 'cifar100');
      await page.waitForFunction(() => !document.getElementById('wait').hidden);
      assert.match(await page.textContent('#wait-text'), /1\.7 of 2\.3 MB$/);
    }, { address: server.address, offline: false })();
  });

  test('it is painted before the engine comes, and shows the weights come', async () => {
    const server = await served(top);
    let release;
    const released = new Promise((resolve) => { release = resolve; });
    const parts = []; // of the weights that are asked for: call one, and it comes
    server.hold = (name) => {
      if (name.includes('/weights-mnist-')) return new Promise((resolve) => parts.push(resolve));
      return name.endsWith('/engine.js') ? released : undefined;
    };
    await onPage(async (page) => {
      await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
      assert.equal(await page.isVisible('h1'), true);
      assert.equal(server.sent.has('/web/dist/engine.js'), false);
      assert.equal(await page.textContent('#wait-text'), 'Starting the engine…');
      assert.equal(parts.length, 0, 'what takes longest to start comes first');
      release();
      await page.waitForFunction(() => /^Loading the network: 0\.0 of 2\.3 MB$/.test(document.getElementById('wait-text').textContent));
      await page.waitForFunction(() => !document.getElementById('progress').hidden);
      const seen = [];
      for (let come = 1; come <= 4; come++) {
        for (const last = Date.now() + PATIENCE; parts.length === 0;) {
          assert.ok(Date.now() < last, `part ${come} of the weights is asked for`);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        parts.shift()();
        await page.waitForFunction((share) => document.getElementById('progress').value >= share - 1e-9, come / 4);
        seen.push(await page.textContent('#wait-text'));
      }
      assert.deepEqual(seen, ['0.6', '1.1', '1.7', '2.3'].map((come) => `Loading the network: ${come} of 2.3 MB`));
      await shown(page);
      assert.equal(await page.isVisible('#wait'), false);
    }, { address: server.address, offline: false, waitUntil: 'commit' })(); // what is held back is part of its load
  });

  test('a policy without workers: it runs in the page', async () => {
    const server = await served(top, { headers: { 'content-security-policy': STRICT.replace("worker-src 'self' blob:", "worker-src 'none'") } });
    await onPage(async (page) => {
      assert.match((await shown(page)).timing, /in the page/);
      page.trouble.splice(0); // the browser says what it forbade
    }, { address: server.address, offline: false })();
  });

  test('a policy without WebAssembly gets a sentence', async () => {
    const server = await served(top, { headers: { 'content-security-policy': STRICT.replace(" 'wasm-unsafe-eval'", '') } });
    await onPage(async (page) => {
      assert.equal(await refusal(page), "This page's security policy forbids WebAssembly; add 'wasm-unsafe-eval' to its script-src.");
      page.trouble.splice(0);
    }, { address: server.address, offline: false })();
  });
});

describe('installed', () => {
  test('it works without its server', async () => {
    const server = await served(made.site, { headers: { 'content-security-policy': STRICT } });
    await onPage(async (page) => {
      await shown(page);
      await page.evaluate(() => navigator.serviceWorker.ready);
      const client = await page.context().newCDPSession(page);
      const { installabilityErrors } = await client.send('Page.getInstallabilityErrors');
      assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'), []);

      await server.close();
      await page.reload();
      await shown(page);
      assert.equal(await page.evaluate(() => navigator.serviceWorker.controller !== null), true);
      await answers(page);
    }, { address: server.address, offline: false })();
  });

  test('a new version takes the place of the old', async () => {
    const site = path.join(folder(), 'site');
    cpSync(made.site, site, { recursive: true });
    const change = (name, from, to) => {
      const file = path.join(site, name);
      const text = readFileSync(file, 'utf8');
      assert.ok(text.includes(from), name);
      writeFileSync(file, text.replace(from, to));
    };
    let server = await served(site);
    await onPage(async (page) => {
      await shown(page);
      await page.evaluate(() => navigator.serviceWorker.ready);
      const beside = 'gdram-/beside/#0123456789abcdef'; // of a page in another folder
      await page.evaluate((name) => caches.open(name), beside);
      await page.reload();
      await shown(page);
      const [, version] = readFileSync(path.join(site, 'sw.js'), 'utf8').match(/version:"([0-9a-f]{16})"/);
      change('index.html', '<title>Watch a network look</title>', '<title>Newer</title>');
      change('sw.js', version, '0123456789abcdef');
      server.forget();
      await page.evaluate(async () => { await (await navigator.serviceWorker.getRegistration()).update(); });
      await page.waitForFunction(async () => (await navigator.serviceWorker.getRegistration()).waiting !== null);
      await page.reload();
      assert.equal(await page.title(), 'Watch a network look', 'whoever is on the page keeps its version');
      const client = await page.context().newCDPSession(page);
      const activated = new Promise((resolve) => {
        let waiting;
        client.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
          for (const { versionId, status } of versions) {
            if (status === 'installed') waiting = versionId;
            if (status === 'activated' && versionId === waiting) resolve();
          }
        });
      });
      await client.send('ServiceWorker.enable');
      await page.goto('about:blank');
      await activated;
      await page.goto(server.address);
      assert.equal(await page.title(), 'Newer');
      await shown(page);
      assert.deepEqual((await page.evaluate(() => caches.keys())).toSorted(), ['gdram-/#0123456789abcdef', beside]);
    }, { address: server.address, offline: false })();
  });
});

test('what is installed is fetched once the first answer is there', async () => {
  const server = await served(made.site);
  await onPage(async (page) => {
    await page.waitForFunction(() => window.said !== undefined);
    assert.notEqual(await page.evaluate(() => window.said), '');
    await page.evaluate(() => navigator.serviceWorker.ready);
  }, {
    address: server.address,
    offline: false,
    before: () => {
      const { register } = ServiceWorkerContainer.prototype;
      ServiceWorkerContainer.prototype.register = function (...asked) {
        window.said = document.getElementById('summary').textContent;
        return register.apply(this, asked);
      };
    },
  })();
});

test('in a single file it answers from the file system, and asks for nothing', async () => {
  const address = pathToFileURL(made.offline).href;
  const requests = [];
  await onPage(async (page) => {
    page.on('request', (request) => requests.push(request.url()));
    await page.reload();
    await shown(page);
    await answers(page);
    assert.match((await shown(page)).timing, /relaxed SIMD, in a worker/);
    assert.deepEqual(requests.filter((one) => !/^(data|blob):/.test(one)), [address]);
  }, { address })();
});

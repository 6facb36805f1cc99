import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import AxeBuilder from '@axe-core/playwright';
import {
  builds, chooseModel, copyOfPage, draw, drawn, folder, launch, models, near, open, pages, predicted, refusal, sampleFile, samplesOf, screenshots, shown, top,
} from './browser.js';
import { blackPNG, turned } from './files.js';

const onPage = pages();

describe('a result', () => {
  test('is on the page by itself, with every part of it', onPage(async (page) => {
    const result = await shown(page);
    assert.equal(result.markers, 8);
    assert.equal(result.looks, 8);
    assert.equal(result.rows.length, 5);
    assert.equal(result.patches, 4);
    assert.equal(result.rows[0], result.label);
    assert.deepEqual(result.shares, result.shares.toSorted((a, b) => b - a));
    assert.ok(result.summary.startsWith(result.label), result.summary);
    assert.match(result.after, /after 8 of 8 looks/);
    assert.match(result.timing, /Go as WebAssembly, relaxed SIMD, in a worker/);
  }));

  for (const model of models) {
    test(`for every sample of ${model} is what the command line says`, onPage(async (page) => {
      await shown(page);
      await chooseModel(page, model);
      const command = predicted(model, samplesOf(model).map((sample) => sampleFile(model, sample)));
      const labels = [];
      for (const [i, [label, number]] of samplesOf(model).entries()) {
        await page.click(`#samples [data-sample="${label}"]`);
        const result = await shown(page, `${label.replaceAll('_', ' ')}, test picture ${number}`);
        labels.push(result.label);
        assert.equal(await page.getAttribute(`#samples [data-sample="${label}"]`, 'aria-pressed'), 'true');

        assert.equal(result.label, command[i].label.replaceAll('_', ' '));
        command[i].top.forEach(({ probability }, k) => near(result.shares[k], 100 * probability, 0.11, `${label}: share ${k}`));
        assert.equal(result.places.length, command[i].glimpses.length);
        // The first place agrees to rounding. Each later one is chosen from what was seen at the one before, and
        // the trained policies multiply a difference by two to ten with every look; a quarter of a pixel is 0.004.
        command[i].glimpses.forEach(({ x, y }, k) => {
          const within = k === 0 ? 1e-6 : 0.004;
          near(result.places[k].x, x, within, `${label}: x of look ${k}`);
          near(result.places[k].y, y, within, `${label}: y of look ${k}`);
        });
      }
      if (model === 'mnist') assert.deepEqual(labels, samplesOf(model).map(([label]) => label), 'its digits are easy ones');
    }));
  }

  test('says where the network looked: patches show the picture there', onPage(async (page) => {
    await shown(page);
    // The middle of the finest patch is the pixel that the marker points at.
    const [patch, there] = await page.evaluate(() => {
      const spot = document.querySelector('.marker.chosen .spot');
      const column = Math.floor(Number(spot.getAttribute('cx')) / 4 - 0.5);
      const row = Math.floor(Number(spot.getAttribute('cy')) / 4 - 0.5);
      const mean = (canvas, x, y) => {
        const { data } = canvas.getContext('2d').getImageData(x, y, 2, 2);
        return (data[0] + data[4] + data[8] + data[12]) / 4;
      };
      return [mean(document.querySelector('#patches canvas'), 5, 5), mean(document.getElementById('picture'), column, row)];
    });
    assert.ok(Math.abs(patch - there) < 40, `patch ${patch}, picture ${there}`);
  }));

  test('plays its looks in order for who likes motion', onPage(async (page) => {
    await page.waitForFunction(() => globalThis.played.at(-1) === 8);
    assert.deepEqual(await page.evaluate(() => globalThis.played.splice(0)), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(await page.textContent('#play'), 'Play', 'it ends by itself');

    await page.evaluate(() => { globalThis.stopAt = 2; });
    await page.click('#play');
    await page.waitForFunction(() => globalThis.played.at(-1) === 2);
    await page.waitForTimeout(1500);
    assert.deepEqual(await page.evaluate(() => globalThis.played), [1, 2], 'it stops where it is told to');
    assert.equal(await page.textContent('#play'), 'Play');
  }, {
    reducedMotion: 'no-preference',
    before: () => { // notes every look that is shown, and stops at one: a slow machine may be late to ask
      globalThis.played = [];
      new MutationObserver(() => {
        const look = Number(/after (\d) of 8/.exec(document.getElementById('after')?.textContent)?.[1]);
        if (!look || globalThis.played.at(-1) === look) return;
        globalThis.played.push(look);
        if (look === globalThis.stopAt) document.getElementById('play').click();
      }).observe(document, { childList: true, subtree: true, characterData: true });
    },
  }));
});

describe('without a mouse', () => {
  test('keys reach and work everything', onPage(async (page) => {
    await shown(page);
    const visited = [];
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press('Tab');
      const id = await page.evaluate(() => {
        const at = document.activeElement;
        return at === document.body ? '' : at.id || at.name || (at.dataset.sample ? `sample ${at.dataset.sample}` : at.tagName);
      });
      if (visited.includes(id) || id === '') break;
      visited.push(id);
    }
    assert.deepEqual(visited, ['model', 'choose', 'camera', 'draw', ...samplesOf('mnist').map(([label]) => `sample ${label}`), 'here', 'look', 'play', 'SUMMARY', 'copy-link', 'copy-json', 'save-png', 'save-gif']);

    await page.focus('#samples [data-sample="7"]');
    await page.keyboard.press('Enter');
    await shown(page, '7, test picture');
    await page.focus('#looks input:checked');
    await page.keyboard.press('ArrowLeft');
    assert.match(await page.textContent('#after'), /after 7 of 8/);
    assert.equal(await page.textContent('#look-title'), 'Look 7: what it saw');
    assert.equal(await page.textContent('.marker.chosen text'), '7');
  }));

  test('the controls are worked', onPage(async (page) => {
    await shown(page);
    const result = async (wanted) => {
      await page.waitForFunction((text) => document.getElementById('after').textContent.includes(text), wanted);
      return shown(page);
    };
    await page.focus('.panel summary');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowLeft');
    assert.equal((await result('of 5 looks')).looks, 5);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    assert.equal(await page.isChecked('#stop'), true);
    await page.keyboard.press('Tab');
    for (let i = 0; i < 40; i++) await page.keyboard.press('ArrowLeft');
    assert.match((await result('sure enough')).after, /after 1 of 1 look: sure enough, saving 4 looks/);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowLeft');
    assert.equal((await result('mean of 3 paths')).others, 2);
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowUp');
    await page.waitForFunction(() => location.hash.includes('seed=2'));
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => location.hash.includes('seed=3'));
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const again = await result('after 8 of 8 looks');
    assert.deepEqual([again.looks, again.others], [8, 0]);
    await page.waitForFunction(() => location.hash === '#model=mnist&picture=2-27');
  }));

  test('a digit can be drawn', onPage(async (page) => {
    await shown(page);
    await page.focus('#draw');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'paper');
    for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Space');
    for (let i = 0; i < 16; i++) await page.keyboard.press('ArrowDown');
    await drawn(page, '1');
    await page.waitForFunction(() => location.hash === '#model=mnist'); // and no picture that is not shown
  }));
});

describe('a picture of one\'s own', () => {
  test('can be chosen, dropped and pasted', onPage(async (page) => {
    await shown(page);
    await page.setInputFiles('#file', { name: 'chosen.png', mimeType: 'image/png', buffer: await draw(page, 300, 200, 'halves') });
    const chosen = await shown(page, 'chosen.png');
    assert.equal(await page.locator('#samples [aria-pressed="true"]').count(), 0);

    for (const [event, name] of [['drop', 'dropped.png'], ['paste', 'pasted.png']]) {
      const bytes = [...await draw(page, 300, 200, 'halves')];
      await page.evaluate(([kind, file, data]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(data)], file, { type: 'image/png' }));
        document.body.dispatchEvent(kind === 'drop'
          ? new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true })
          : new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true }));
      }, [event, name, bytes]);
      assert.equal((await shown(page, name)).label, chosen.label);
    }
  }));

  test('is scaled when huge and upright when the camera was turned', onPage(async (page) => {
    await shown(page);
    await chooseModel(page, 'cifar10');
    await shown(page, 'airplane');
    const photo = turned(await draw(page, 3000, 2400, 'halves', 'image/jpeg'));
    await page.setInputFiles('#file', { name: 'photo.jpg', mimeType: 'image/jpeg', buffer: photo });
    await shown(page, 'photo.jpg');
    // Red above blue, turned clockwise: red on the right.
    const row = await page.evaluate(() => [...document.getElementById('picture').getContext('2d').getImageData(0, 64, 128, 1).data]);
    const [left, right] = [row.slice(40, 43), row.slice(-40, -37)];
    assert.ok(right[0] > 200 && right[2] < 60, `right ${right}`);
    assert.ok(left[2] > 200 && left[0] < 60, `left ${left}`);
  }));

  test('drawn with the mouse is seen centred', onPage(async (page) => {
    await shown(page);
    await page.click('#draw');
    const box = await page.locator('#paper').boundingBox();
    await page.mouse.move(box.x + 60, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 60, box.y + 200, { steps: 12 });
    await page.mouse.up();
    const ink = await drawn(page, '1');
    assert.ok(ink > 200, `the middle is ${ink} bright`);
  }));
});

describe('bad input gets a sentence and leaves the last result', () => {
  const png = readFileSync(path.join(top, 'web/samples/mnist/7-30.png'));
  const files = [
    ['empty.png', Buffer.alloc(0), /^“empty.png” is empty, 0 bytes; open a PNG/],
    ['notes.txt', Buffer.from('not a picture'), /^“notes.txt” cannot be read as a picture/],
    ['half.png', png.subarray(0, 60), /^“half.png” cannot be read as a picture, or is damaged/],
    ['field.png', blackPNG(20000, 20000), /^“field.png” is 20000 × 20000 pixels, more than the 64 million|^“field.png” cannot be read/],
    ['film.mov', Buffer.alloc(70 << 20), /^“film.mov” has 73 MB/],
  ];
  test('files', onPage(async (page) => {
    const good = await shown(page);
    for (const [name, buffer, sentence] of files) {
      const file = path.join(folder(), name);
      writeFileSync(file, buffer);
      await page.setInputFiles('#file', file);
      await page.waitForFunction((wanted) => document.getElementById('message').textContent.includes(wanted), name);
      assert.match(await refusal(page), sentence);
      const still = await shown(page);
      assert.deepEqual([still.label, still.markers, still.picture], [good.label, good.markers, good.picture]);
    }
    await page.click('#samples [data-sample="9"]');
    assert.equal((await shown(page, '9, test picture')).refused, false);
  }));

  test('pasted words', onPage(async (page) => {
    await shown(page);
    await page.evaluate(() => {
      const transfer = new DataTransfer();
      transfer.setData('text/plain', 'words');
      document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer }));
    });
    assert.match(await refusal(page), /^What was pasted is not a picture; copy a picture/);
  }));

  /** The parts of dist that deliver weights. */
  const partsOf = (copy, model) => readdirSync(path.join(copy, 'web/dist')).filter((name) => name.startsWith(`weights-${model}-`))
    .sort((a, b) => parseInt(a.slice(`weights-${model}-`.length)) - parseInt(b.slice(`weights-${model}-`.length))).map((name) => path.join(copy, 'web/dist', name));

  const delivery = (name, text) => `gdramDeliver("${name}",()=>{/*${text}*/})\n`;
  const delivered = (file) => /\/\*(.*)\*\//s.exec(readFileSync(file, 'utf8'))[1];

  /** Changes the weights that they deliver. */
  function damage(copy, model, change) {
    const files = partsOf(copy, model);
    const bytes = change(Buffer.concat(files.map((file) => Buffer.from(delivered(file), 'base64'))));
    const each = Math.ceil(bytes.length / files.length); // as the build cuts them
    files.forEach((file, i) => writeFileSync(file, delivery(path.parse(file).name, bytes.subarray(i * each, (i + 1) * each).toString('base64'))));
  }

  const truncated = copyOfPage();
  before(() => damage(truncated, 'mnist', (bytes) => bytes.subarray(0, bytes.length / 2)));
  test('truncated weights', onPage(async (page) => {
    assert.match(await refusal(page), /^The files web\/dist\/weights-mnist-1.js to weights-mnist-\d+.js are damaged/);
    await chooseModel(page, 'cifar10');
    const result = await shown(page, 'airplane');
    assert.equal(result.refused, false);
    assert.equal(result.markers, 8);
  }, { at: truncated }));

  const flipped = copyOfPage();
  before(() => damage(flipped, 'mnist', (bytes) => {
    const nan = Buffer.from(bytes);
    nan.writeUInt16LE(0x7e00, nan.length - 2);
    return nan;
  }));
  test('weights that are not numbers', onPage(async (page) => {
    assert.match(await refusal(page), /^The weights “mnist” cannot be used: the tensor .* holds NaN/);
  }, { at: flipped }));

  const broken = copyOfPage();
  before(() => writeFileSync(partsOf(broken, 'mnist')[2], delivery('weights-mnist-3', 'AAAA')));
  test('a damaged script', onPage(async (page) => {
    assert.match(await refusal(page), /^The files web\/dist\/weights-mnist-1.js to weights-mnist-\d+.js are damaged; run make again and reload\.$/);
  }, { at: broken }));

  const lost = copyOfPage();
  before(() => rmSync(partsOf(lost, 'mnist')[1]));
  test('a lost script, and no progress of the others beside that', async () => {
    await onPage(async (page) => {
      assert.equal(await refusal(page), 'The file web/dist/weights-mnist-2.js is missing or damaged; run make again and reload.');
      const others = partsOf(lost, 'mnist').length;
      await page.waitForFunction((count) => window.held.length >= count, others);
      await page.evaluate(() => window.held.splice(0).forEach((script) => script.onload()));
      assert.equal(await page.isVisible('#wait'), false);
      page.trouble.splice(0); // the browser, too, says that there is no such file
    }, {
      at: lost,
      before: () => { // the others come, but later
        window.held = [];
        document.addEventListener('load', (event) => {
          if (!event.target.src?.includes('/weights-')) return;
          event.stopImmediatePropagation();
          window.held.push(event.target);
        }, true);
      },
    })();
  });
});

describe('where a browser has less', () => {
  test('no workers: it runs in the page', onPage(async (page) => {
    assert.match((await shown(page)).timing, /in the page/);
  }, { before: () => { delete window.Worker; } }));

  test('no way to start a worker: it runs in the page', onPage(async (page) => {
    assert.match((await shown(page)).timing, /in the page/);
  }, { before: () => { window.Worker = class { constructor() { setTimeout(() => this.onerror(new Event('error'))); } }; } }));

  test('no relaxed SIMD: plain SIMD', onPage(async (page) => {
    assert.match((await shown(page)).timing, /WebAssembly, SIMD,/);
  }, {
    before: () => {
      delete window.Worker; // there validate would be another
      const { validate } = WebAssembly;
      let asked = 0; // plain SIMD first
      WebAssembly.validate = (bytes) => validate(bytes) && asked++ === 0;
    },
  }));

  test('no SIMD: every model answers as the command line does', async () => {
    // V8 has no flag against SIMD; without SSE 4.1 it has no SIMD.
    const old = await launch('--js-flags=--no-enable-sse4-1 --no-enable-sse4-2 --no-enable-avx --no-enable-avx2');
    try {
      await onPage(async (page) => {
        for (const model of models) {
          await shown(page);
          await chooseModel(page, model);
          const [label, number] = samplesOf(model)[0];
          const result = await shown(page, `${label.replaceAll('_', ' ')}, test picture ${number}`);
          assert.match(result.timing, /WebAssembly, scalar, in a worker/);
          const [command] = predicted(model, [sampleFile(model, [label, number])]);
          assert.equal(result.label, command.label.replaceAll('_', ' '));
          command.top.forEach(({ probability }, k) => near(result.shares[k], 100 * probability, 0.11, `${label}: share ${k}`));
        }
      }, { with: old })();
    } finally {
      await old.close();
    }
  });

  // A browser that promises SIMD and computes something else.
  const lying = () => {
    delete window.Worker;
    const { instantiate } = WebAssembly;
    let version = 0;
    WebAssembly.instantiate = async (module, imports) => {
      const instance = await instantiate(module, imports);
      const lies = imports.go?.mem && (++version === 2 || window.name === 'no SIMD is right');
      return lies ? { exports: { ...instance.exports, dense() {} } } : instance;
    };
  };
  test('relaxed SIMD that computes something else is not trusted', onPage(async (page) => {
    assert.match((await shown(page)).timing, /WebAssembly, SIMD, in the page/);
  }, { before: lying }));
  test('nor is any SIMD', onPage(async (page) => {
    await page.evaluate(() => { window.name = 'no SIMD is right'; });
    await page.reload();
    assert.match((await shown(page)).timing, /WebAssembly, scalar, in the page/);
  }, { before: lying }));

  test('an engine that breaks is started anew', onPage(async (page) => {
    assert.match(await refusal(page), /^The engine failed and was started anew/);
    await page.click('#samples [data-sample="9"]');
    assert.equal((await shown(page, '9, test picture')).refused, false);
    assert.match(page.trouble.shift(), /RangeError/);
  }, {
    before: () => {
      delete window.Worker;
      const { instantiate } = WebAssembly;
      let failures = 1;
      WebAssembly.instantiate = async (module, imports) => {
        const instance = await instantiate(module, imports);
        if (!imports.gdram) return instance;
        const look = (...args) => {
          if (failures-- > 0) throw new RangeError('Maximum call stack size exceeded');
          return instance.exports.look(...args);
        };
        // Go's glue insists on an Instance.
        return Object.create(instance, { exports: { value: { ...instance.exports, look } } });
      };
    },
  }));

  const bare = folder();
  before(() => cpSync(path.join(top, 'index.html'), path.join(bare, 'index.html')));
  test('before make, the page says what to run', onPage(async (page) => {
    assert.match(await page.innerText('body'), /^This page is not built yet. Run make in this folder, then reload.$/);
    page.trouble.splice(0); // the browser misses the script, too
  }, { at: bare }));
});

test('nothing can leave the page: its own policy forbids it', async () => {
  const browser = await launch();
  try {
    const page = await open(browser, { offline: false });
    await shown(page);
    await page.evaluate(() => {
      window.forbidden = [];
      document.addEventListener('securitypolicyviolation', (event) => window.forbidden.push(event.effectiveDirective));
      new Image().src = 'https://example.org/x.png';
      fetch('https://example.org/').catch(() => {});
      navigator.sendBeacon('https://example.org/');
    });
    await page.waitForFunction(() => window.forbidden.length >= 3);
    assert.deepEqual(await page.evaluate(() => window.forbidden.toSorted()), ['connect-src', 'connect-src', 'img-src']);
  } finally {
    await browser.close();
  }
});

describe('for everyone', () => {
  for (const colorScheme of ['light', 'dark']) {
    test(`axe finds nothing, with everything open, ${colorScheme}`, onPage(async (page) => {
      await shown(page);
      await page.click('#draw');
      await page.click('.panel summary');
      await page.check('#noise');
      await page.click('#copy-link');
      await page.waitForFunction(() => document.getElementById('done').textContent !== '');
      await page.locator('#here').click({ position: { x: 50, y: 50 } });
      await page.waitForSelector('#free:not([hidden])');
      await page.setInputFiles('#file', { name: 'halves.png', mimeType: 'image/png', buffer: await draw(page, 300, 200, 'halves') });
      assert.match((await shown(page, 'halves.png')).note, /^Perhaps none/);
      await page.setInputFiles('#file', { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') });
      await refusal(page);
      const { violations } = await new AxeBuilder({ page }).options({ preload: false }).analyze();
      assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), []);
    }, { colorScheme, permissions: ['clipboard-write'] }));

    test(`its controls are at home on any width, ${colorScheme}`, onPage(async (page) => {
      await shown(page);
      await chooseModel(page, 'cifar10');
      await shown(page, 'airplane');
      await page.click('.panel summary');
      await page.check('#noise');
      await page.locator('#here').click({ position: { x: 90, y: 90 } });
      await page.waitForSelector('#free:not([hidden])');
      await page.waitForSelector('#overlay .path.other', { state: 'attached' });
      for (const [kind, width] of [['phone', 320], ['phone', 390], ['tablet', 820], ['desktop', 1280], ['wide', 1920]]) {
        await page.setViewportSize({ width, height: 900 });
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${overflow} pixels too wide at ${width}`);
        await page.screenshot({ path: path.join(screenshots, `controls-${kind}-${colorScheme}.png`), fullPage: true });
      }
    }, { colorScheme }));

    for (const [kind, width, height] of [['desktop', 1280, 900], ['phone', 390, 844]]) {
      test(`a ${kind} holds it, ${colorScheme}`, onPage(async (page) => {
        await shown(page);
        for (const model of models) {
          await chooseModel(page, model);
          await shown(page, samplesOf(model)[0][0].replaceAll('_', ' '));
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(overflow <= 0, `${overflow} pixels too wide`);
          await page.screenshot({ path: path.join(screenshots, `${model}-${kind}-${colorScheme}.png`), fullPage: true });
        }
      }, { colorScheme, viewport: { width, height } }));
    }
  }

  for (const [kind, width, height] of [['desktop', 1280, 900], ['phone', 390, 844]]) test(`nothing jumps on a ${kind} while it loads and answers`, onPage(async (page) => {
    await shown(page);
    await page.click('#samples [data-sample="9"]');
    await shown(page, '9, test picture');
    const before = await page.evaluate(() => window.shifted());
    await page.click('.panel summary'); // which is to move what is below
    await page.evaluate(() => window.shifted());
    await page.waitForTimeout(600); // what follows a click within half a second would count as expected
    await page.evaluate(() => { location.hash = '#model=mnist&picture=9-1&look1=0.9,0.9'; });
    await page.waitForSelector('#free:not([hidden])');
    await page.evaluate(() => { location.hash = '#model=mnist&samples=4'; });
    await page.waitForFunction(() => /mean of 4 paths/.test(document.getElementById('after').textContent));
    const shift = before + await page.evaluate(() => window.shifted());
    assert.ok(shift < 0.02, `cumulative layout shift ${shift}`);
  }, {
    viewport: { width, height },
    before: () => {
      let sum = 0;
      const add = (entries) => {
        for (const entry of entries) if (!entry.hadRecentInput) sum += entry.value;
      };
      const observer = new PerformanceObserver((list) => add(list.getEntries()));
      observer.observe({ type: 'layout-shift', buffered: true });
      /** How much has shifted since the last time, the frame that is due with it. */
      window.shifted = async () => {
        for (let frame = 0; frame < 2; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
        add(observer.takeRecords());
        const since = sum;
        sum = 0;
        return since;
      };
    },
  }));

  test('who listens hears one sentence for a result', onPage(async (page) => {
    await shown(page);
    await page.evaluate(() => {
      window.said = [];
      for (const status of document.querySelectorAll('[role=status]')) {
        new MutationObserver(() => { if (status.textContent.trim()) window.said.push(status.textContent); }).observe(status, { childList: true, characterData: true, subtree: true });
      }
    });
    await page.click('#samples [data-sample="9"]');
    const { summary } = await shown(page, '9, test picture');
    await page.waitForTimeout(200);
    assert.deepEqual(await page.evaluate(() => window.said), [summary]);
    assert.match(summary, /^9, [\d.]+ %, after 8 looks; then \d, [\d.]+ %\.$/);
  }));
});

test('the build gives the same bytes twice', () => {
  const again = builds().site;
  const names = readdirSync(path.join(top, 'web/dist'), { withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name);
  assert.deepEqual(readdirSync(path.join(again, 'web/dist')), names);
  for (const name of names) {
    assert.ok(readFileSync(path.join(again, 'web/dist', name)).equals(readFileSync(path.join(top, 'web/dist', name))), `${name} differs`);
  }
});

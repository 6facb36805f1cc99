import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { chooseModel, draw, models, pages, refusal, samplesOf, shown, weights } from './browser.js';
import { measured } from '../src/page/caution.js';
import { overflowing, withMetadata } from './files.js';

const onPage = pages();
const file = (model) => readFileSync(path.join(weights, `${model}.safetensors`));

describe('weights of one\'s own', () => {
  const names = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
  const own = withMetadata(file('mnist'), { labels: JSON.stringify(names), dataset: 'mnist', fast: '{"lead":0.6}', recipe: 'gdram' });
  const bring = (page, name, buffer) => page.setInputFiles('#file', { name, mimeType: 'application/octet-stream', buffer });

  test('are used at once, with their labels and where they stop', onPage(async (page) => {
    await shown(page);
    await page.click('#samples [data-sample="7"]');
    const before = await shown(page, '7, test picture');
    await bring(page, 'mine.safetensors', own);
    await page.waitForFunction(() => document.getElementById('label').textContent === 'seven');
    const after = await shown(page);
    assert.deepEqual(after.shares, before.shares);
    assert.match(await page.textContent('#models label:has(:checked)'), /mine cluttered MNIST/);
    assert.match(await page.textContent('#knows'), /zero, one, two/);
    assert.equal(await page.locator('#samples button').count(), samplesOf('mnist').length);
    assert.equal(await page.isVisible('#draw'), true);
    await page.click('.panel summary');
    await page.check('#stop');
    assert.match(await page.textContent('#stop-note'), /These weights say 60 %\.$/);
    assert.equal(await page.textContent('#lead-value'), '60 %');
    await chooseModel(page, 'cifar10');
    await shown(page, 'airplane');
    await chooseModel(page, 'own');
    assert.ok(names.includes((await shown(page, '2, test picture')).label));
  }));

  test('can be dropped, and replaced', onPage(async (page) => {
    await shown(page);
    for (const [name, wanted] of [['first', names], ['second', names.toReversed()]]) {
      const bytes = withMetadata(file('mnist'), { labels: JSON.stringify(wanted) }).toString('base64');
      await page.evaluate(([text, called]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.fromBase64(text)], `${called}.safetensors`));
        document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
      }, [bytes, name]);
      await page.waitForFunction((label) => document.getElementById('label').textContent === label, wanted[2]);
      assert.match(await page.textContent('#models label:has(:checked)'), new RegExp(`${name} something else`));
    }
    assert.equal(await page.locator('#models input[value=own]').count(), 1);
  }));

  test('are refused in a sentence when they cannot be used, and the last ones stay', onPage(async (page) => {
    const good = await shown(page);
    for (const [what, name, bytes, sentence] of [
      ['cut short', 'short.safetensors', own.subarray(0, own.length - 1000), /^“short.safetensors” cannot be used: .*copy (the file|it) again/],
      ['another network\'s', 'other.safetensors', Buffer.concat([Buffer.from([16, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{"__metadata__":{')]), /^“other.safetensors” cannot be used: this is not a safetensors file/],
      ['PyTorch\'s', 'model.pth', Buffer.from('PK\x03\x04 and so on'), /^“model.pth” cannot be used: this is a PyTorch file, not safetensors; turn it into one with: gdram convert/],
      ['trained without a policy', 'scan.safetensors', withMetadata(file('mnist'), { recipe: 'gdram-scan' }), /^“scan.safetensors” cannot be used: they learnt with the recipe gdram-scan, which has no policy/],
      ['with a note that says nothing', 'note.safetensors', withMetadata(file('mnist'), { fast: 'soon' }), /^“note.safetensors” cannot be used: the metadata has fast “soon”; want a lead above 0/],
      ['with too few labels', 'labels.safetensors', withMetadata(file('mnist'), { labels: '["a","b"]' }), /^“labels.safetensors” cannot be used: the metadata has 2 labels, want one for each of the 10 classes/],
    ]) {
      await bring(page, name, bytes);
      await page.waitForFunction((file) => document.getElementById('message').textContent.includes(file), name);
      assert.match(await refusal(page), sentence, what);
      assert.equal((await shown(page)).summary, good.summary);
      assert.equal(await page.locator('#models input').count(), models.length);
    }
    await page.click('#samples [data-sample="9"]');
    const next = await shown(page, '9, test picture');
    assert.deepEqual([next.label, next.refused], ['9', false]);
  }));

  test('that come late are listed, but leave what was chosen meanwhile', onPage(async (page) => {
    await shown(page);
    await page.setInputFiles('#file', { name: 'halves.png', mimeType: 'image/png', buffer: await draw(page, 300, 200, 'halves') });
    await shown(page, 'halves.png');
    await bring(page, 'mine.safetensors', own);
    await page.waitForFunction(() => window.release);
    assert.equal(await page.getAttribute('#stage', 'aria-busy'), 'true');
    await chooseModel(page, 'cifar10');
    await page.evaluate(() => window.release());
    await page.waitForSelector('#models input[value=own]', { state: 'attached' });
    await shown(page, 'halves.png');
    assert.equal(await page.isChecked('#models input[value=cifar10]'), true);
    assert.match(await page.textContent('#knows'), /^Trained on CIFAR-10\./);
  }, {
    before: () => {
      const { arrayBuffer } = Blob.prototype;
      Blob.prototype.arrayBuffer = async function () {
        await new Promise((resolve) => { window.release = resolve; });
        return arrayBuffer.call(this);
      };
    },
  }));

  test('that make no number of a picture get a sentence', onPage(async (page) => {
    await shown(page);
    await bring(page, 'huge.safetensors', overflowing(file('mnist')));
    assert.equal(await refusal(page), 'The network\'s answer for this picture is not a number; its weights are damaged or not trained, so try others.');
    await chooseModel(page, 'cifar10');
    assert.equal((await shown(page, 'airplane')).refused, false);
  }));

  test('leave a picture that is still on its way', onPage(async (page) => {
    await shown(page);
    await page.setInputFiles('#file', { name: 'halves.png', mimeType: 'image/png', buffer: await draw(page, 300, 200, 'halves') });
    await page.waitForFunction(() => window.release);
    await bring(page, 'mine.safetensors', own);
    await page.waitForSelector('#models input[value=own]:checked');
    await chooseModel(page, 'cifar10');
    await page.evaluate(() => window.release());
    await shown(page, 'halves.png');
    assert.equal(await page.isChecked('#models input[value=cifar10]'), true);
  }, {
    before: () => {
      const { createImageBitmap } = window;
      window.createImageBitmap = async (from, ...more) => {
        if (from.name === 'halves.png') await new Promise((resolve) => { window.release = resolve; });
        return createImageBitmap(from, ...more);
      };
    },
  }));

  test('that cannot be read any more get a sentence', onPage(async (page) => {
    await shown(page);
    await bring(page, 'mine.safetensors', own);
    assert.equal(await refusal(page), '“mine.safetensors” cannot be read any more; choose it again.');
  }, { before: () => { Blob.prototype.arrayBuffer = async () => { throw new DOMException('gone', 'NotReadableError'); }; } }));

  test('stay here: a link has the network whose picture it is', onPage(async (page) => {
    await shown(page);
    await bring(page, 'mine.safetensors', own);
    await page.waitForFunction(() => document.getElementById('label').textContent === 'two');
    const copied = async () => {
      await page.click('#copy-link');
      await page.waitForFunction(() => document.getElementById('done').textContent.startsWith('Link copied'));
      return [await page.textContent('#done'), (await page.evaluate(() => navigator.clipboard.readText())).split('#')[1]];
    };
    assert.deepEqual(await copied(), ['Link copied; it has the picture and settings, but not your network, which stays here.', 'model=mnist&picture=2-27']);
    await page.setInputFiles('#file', { name: 'halves.png', mimeType: 'image/png', buffer: await draw(page, 300, 200, 'halves') });
    await shown(page, 'halves.png');
    await page.evaluate(() => { document.getElementById('done').textContent = ''; });
    assert.deepEqual(await copied(), ['Link copied; it has the settings, but not your picture and network, which stay here.', '']);
  }, { permissions: ['clipboard-read', 'clipboard-write'] }));
});

describe('the caution', () => {
  test('was measured on these weights', () => {
    for (const [model, { tensors }] of Object.entries(measured)) {
      const bytes = file(model);
      const data = bytes.subarray(8 + Number(bytes.readBigUInt64LE(0)));
      assert.equal(tensors, createHash('sha256').update(data).digest('hex'), `measure ${model} again with go run ./web/caution, and write in web/src/page/caution.js what it finds`);
    }
  });

  test('says that a picture is perhaps none of the classes, and how far to trust that', onPage(async (page) => {
    for (const [label] of samplesOf('mnist')) {
      await page.click(`#samples [data-sample="${label}"]`);
      assert.doesNotMatch((await shown(page, `${label}, test picture`)).note, /none/, label);
    }
    await page.setInputFiles('#file', { name: 'halves.png', mimeType: 'image/png', buffer: await draw(page, 300, 300, 'halves') });
    assert.equal((await shown(page, 'halves.png')).note, `Perhaps none of these: it is brighter than nearly all that it learnt from. ${measured.mnist.says}`);
    await chooseModel(page, 'cifar10');
    await shown(page, 'halves.png');
    await page.setInputFiles('#file', { name: 'wall.png', mimeType: 'image/png', buffer: await draw(page, 300, 300, 'wall') });
    assert.match((await shown(page, 'wall.png')).note, /^Perhaps none of these: it has less contrast than nearly all/);
    for (const [label] of samplesOf('cifar10')) {
      await page.click(`#samples [data-sample="${label}"]`);
      assert.match((await shown(page, `${label}, test picture`)).note, /^Labelled/, label);
    }
  }));
});

test('the drawing is shown as the network gets it', onPage(async (page) => {
  await shown(page);
  await page.click('#draw');
  const box = await page.locator('#paper').boundingBox();
  await page.mouse.move(box.x + 30, box.y + 30);
  await page.mouse.down();
  await page.mouse.move(box.x + 30, box.y + 230, { steps: 8 });
  await page.mouse.move(box.x + 90, box.y + 230, { steps: 4 });
  await page.mouse.up();
  // A part of it is shown first, and may be all that is; the whole is known by its width.
  const seen = await page.waitForFunction(() => {
    const ink = (canvas) => {
      const { width, height } = canvas;
      const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true }); // Chromium warns of many readings of the page's own
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, width, height);
      let mass = 0, x = 0, y = 0, left = width, right = 0, top = height, bottom = 0;
      for (let i = 0; i < width * height; i++) {
        const v = data[4 * i];
        const [column, row] = [i % width, Math.floor(i / width)];
        mass += v;
        x += v * (column + 0.5);
        y += v * (row + 0.5);
        if (v > 60) [left, right, top, bottom] = [Math.min(left, column), Math.max(right, column + 1), Math.min(top, row), Math.max(bottom, row + 1)];
      }
      return { x: x / mass / width, y: y / mass / height, width: (right - left) / width, height: (bottom - top) / height };
    };
    const [field, picture] = ['field', 'picture'].map((id) => document.getElementById(id));
    const both = [ink(field), ink(picture)];
    const whole = Math.abs(both[0].width - both[1].width) < 0.03;
    return whole && picture.getAttribute('aria-label').startsWith('your drawing, as the network sees it') && both;
  });
  for (const { x, y, height } of await seen.jsonValue()) {
    // Half of the field, as MNIST's 20 of 40, its mass in the middle.
    assert.ok(Math.abs(x - 0.5) < 0.02 && Math.abs(y - 0.5) < 0.02, `centre ${x}, ${y}`);
    assert.ok(Math.abs(height - 0.5) < 0.05, `height ${height}`);
  }
  await page.click('#clear');
  assert.equal(await page.evaluate(() => Math.max(...document.getElementById('field').getContext('2d').getImageData(0, 0, 40, 40).data.filter((_, i) => i % 4 < 3))), 0);
}));

test('a dot is drawn, and the keyboard\'s pen is shown and said', onPage(async (page) => {
  await shown(page);
  await page.click('#draw');
  const ink = () => page.evaluate(() => document.getElementById('paper').getContext('2d').getImageData(0, 0, 280, 280).data.filter((v, i) => i % 4 === 3 && v > 0).length);
  await page.mouse.click(...await page.locator('#paper').boundingBox().then(({ x, y }) => [x + 60, y + 60]));
  await shown(page, 'your drawing');
  const disc = await ink();
  assert.ok(Math.abs(disc - Math.PI * 12 ** 2) < 60, `${disc} pixels`);

  await page.click('#clear');
  assert.equal(await ink(), 0);
  await page.focus('#paper');
  const pen = () => page.evaluate(() => {
    const at = (of) => of.getBoundingClientRect();
    const [paper, marker] = [document.getElementById('paper'), document.querySelector('.pen')];
    const { x, y, width, height } = at(marker);
    return { x: x + width / 2 - at(paper).x, y: y + height / 2 - at(paper).y, look: getComputedStyle(marker).backgroundColor, says: document.querySelector('#pad .state').textContent };
  });
  await page.keyboard.press('ArrowUp');
  const up = await pen();
  assert.deepEqual([up.x, up.y, up.says], [140, 130, '']);
  await page.keyboard.press('Space');
  const down = await pen();
  assert.deepEqual([down.x, down.y, down.says], [140, 130, 'Pen down.']);
  assert.notEqual(down.look, up.look);
  assert.equal(await ink(), disc);
  await page.keyboard.press('Space');
  assert.deepEqual(await pen(), { ...up, says: 'Pen up.' });
}));

test('a huge photograph is decoded off the main thread', onPage(async (page) => {
  await shown(page);
  assert.ok(await page.evaluate(() => window.decoded) > 0, 'the small sample was decoded here, so this counts');
  const photo = await draw(page, 8000, 6000, 'halves', 'image/jpeg');
  await page.evaluate(() => {
    window.decoded = 0;
    window.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
    }).observe({ type: 'longtask' });
  });
  const start = Date.now();
  await page.setInputFiles('#file', { name: 'huge.jpg', mimeType: 'image/jpeg', buffer: photo });
  await shown(page, 'huge.jpg');
  // How long the main thread was away also says how busy the machine is, so that is told, not held.
  console.log(`# 48 megapixels took ${Date.now() - start} ms, the main thread at most ${Math.round(await page.evaluate(() => window.longest))} of them at once`);
  assert.equal(await page.evaluate(() => window.decoded), 0);
}, {
  before: () => {
    window.decoded = 0;
    const { createImageBitmap } = window;
    window.createImageBitmap = (...asked) => {
      window.decoded++;
      return createImageBitmap(...asked);
    };
  },
}));

describe('the camera', () => {
  const fake = pages('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream');

  test('is looked through live, stops when hidden, and leaves its last picture', fake(async (page) => {
    await shown(page);
    await page.click('#camera');
    const rate = await page.waitForFunction(() => Number(/^Live, ([\d.]+) pictures a second$/.exec(document.getElementById('rate').textContent)?.[1]));
    console.log(`# ${await rate.jsonValue()} pictures a second from a camera that makes 20`);
    const live = await shown(page, 'what the camera sees');
    assert.equal(live.steer.trim(), '');
    assert.equal(await page.getAttribute('#camera', 'aria-pressed'), 'true');

    // Every frame of the fake device is another.
    const frame = () => page.evaluate(() => document.getElementById('picture').toDataURL());
    const one = await frame();
    await page.waitForFunction((old) => document.getElementById('picture').toDataURL() !== old, one);
    // No frame is taken from then on; the last one may still be on its way to its answer.
    const hidden = await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { value: true, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
      return window.taken;
    });
    await page.evaluate(async () => {
      const video = document.getElementById('video');
      for (let come = 0; come < 10; come++) await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    });
    assert.equal(await page.evaluate(() => window.taken), hidden);
    await page.evaluate(() => {
      delete document.hidden;
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await page.waitForFunction((before) => window.taken > before, hidden);

    const stopped = await page.evaluate(() => {
      document.getElementById('camera').click();
      return window.taken;
    });
    assert.equal(await page.isVisible('#rate'), false);
    assert.equal(await page.evaluate(() => document.getElementById('video').srcObject), null);
    await page.waitForFunction(() => /^Click the picture/.test(document.getElementById('steer').textContent)); // with the last answer
    assert.match((await shown(page)).picture, /^what the camera sees/);
    await page.waitForTimeout(500);
    assert.equal(await page.evaluate(() => window.taken), stopped);
    await page.click('#camera');
    await page.waitForFunction(() => /^Live, /.test(document.getElementById('rate').textContent));
    await page.click('#samples [data-sample="9"]');
    assert.equal((await shown(page, '9, test picture')).label, '9');
    assert.equal(await page.textContent('#camera'), 'Camera');
  }, {
    before: () => { // counts the frames that are taken
      window.taken = 0;
      const { drawImage } = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.drawImage = function (source, ...where) {
        if (source instanceof HTMLVideoElement) window.taken++;
        return drawImage.call(this, source, ...where);
      };
    },
  }));

  test('that is not allowed gets a sentence', onPage(async (page) => {
    const good = await shown(page);
    await page.click('#camera');
    assert.match(await refusal(page), /^(The camera is not allowed here; allow it|There is no camera on this device; open a picture)/);
    assert.equal((await shown(page)).summary, good.summary);
    assert.equal(await page.getAttribute('#camera', 'aria-pressed'), 'false');
  }));

  test('that the browser keeps to itself gets a sentence', onPage(async (page) => {
    await shown(page);
    await page.click('#camera');
    assert.match(await refusal(page), /^The browser gives the camera only to pages/);
  }, { before: () => Object.defineProperty(navigator, 'mediaDevices', { value: undefined }) }));

  test('that is not allowed once another picture was chosen is not spoken of', onPage(async (page) => {
    await shown(page);
    await page.click('#camera');
    await page.waitForFunction(() => window.forbid);
    await page.click('#samples [data-sample="9"]');
    await shown(page, '9, test picture');
    await page.evaluate(() => new Promise((resolve) => {
      window.forbid(new DOMException('not allowed', 'NotAllowedError'));
      setTimeout(resolve);
    }));
    assert.equal((await shown(page)).refused, false);
  }, { before: () => { navigator.mediaDevices.getUserMedia = () => new Promise((_, reject) => { window.forbid = reject; }); } }));

  test('that ends by itself is no longer live, and that is said', fake(async (page) => {
    await shown(page);
    await page.click('#camera');
    await page.waitForFunction(() => /^Live, /.test(document.getElementById('rate').textContent));
    await page.evaluate(() => {
      const [track] = document.getElementById('video').srcObject.getVideoTracks();
      track.stop();
      track.dispatchEvent(new Event('ended')); // the browser's, when it is unplugged
    });
    assert.equal(await refusal(page), 'The camera has stopped; connect it again, or open a picture instead.');
    assert.equal(await page.isVisible('#rate'), false);
    assert.equal(await page.textContent('#camera'), 'Camera');
    assert.match((await shown(page, 'what the camera sees')).steer, /^Click the picture/);
  }));
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { chooseModel, models, near, pages, predicted, refusal, sampleFile, samplesOf, shown, top } from './browser.js';
import path from 'node:path';

const onPage = pages();

/** Sets a slider as a person does, with the keyboard's events. */
async function slide(page, id, value) {
  await page.locator(id).fill(String(value));
}

/** Waits until the answer is another than the given one. */
async function changed(page, before) {
  await page.waitForFunction(({ after, summary }) => {
    const idle = !document.getElementById('stage').hasAttribute('aria-busy');
    return idle && (document.getElementById('summary').textContent !== summary || document.getElementById('after').textContent !== after);
  }, before);
  return shown(page);
}

/** A result without its timing. */
const lasting = ({ timing, ...result }) => result;

const openPanel = (page) => page.click('.panel summary');

describe('how it looks', () => {
  test('as often as asked', onPage(async (page) => {
    const full = await shown(page);
    await openPanel(page);
    await slide(page, '#glimpses', 3);
    const three = await changed(page, full);
    assert.equal(three.looks, 3);
    assert.match(three.after, /after 3 of 3 looks$/);
    assert.deepEqual(three.places, full.places.slice(0, 3));
    assert.equal(await page.textContent('#how'), '3 looks, where its policy says');
    await page.click('#reset');
    assert.deepEqual(lasting(await changed(page, three)), lasting(full));
    assert.equal(await page.isDisabled('#reset'), true);
  }));

  test('until it is sure, and says what that saved', onPage(async (page) => {
    await shown(page);
    await chooseModel(page, 'cifar10');
    // A sample that gets further ahead, and where: with a lead between those that two looks would have passed, the second stops.
    let full, course, k, first;
    for (const [label] of samplesOf('cifar10')) {
      await page.click(`#samples [data-sample="${label}"]`);
      full = await shown(page, `${label}, test picture`);
      const ordered = full.courses[0].map((_, i) => full.courses.map((one) => one[i]).toSorted((a, b) => b - a));
      course = ordered.map(([most]) => most);
      const passed = ordered.map(([most, next], i) => ((most - next) * 7) / (7 - i)); // the largest first lead that stops after look i
      k = passed.findIndex((lead, i) => i > 0 && i < 7 && Math.floor(lead - 0.5) > Math.max(1, ...passed.slice(0, i)) + 0.5);
      first = Math.min(99, Math.floor(passed[k] - 0.5));
      if (k > 0 && first > Math.max(...passed.slice(0, k)) + 0.5) break;
    }
    assert.ok(k > 0, 'some lead grows');
    await openPanel(page);
    await page.check('#stop');
    await slide(page, '#lead', first);
    const sure = await changed(page, full);
    assert.equal(sure.looks, k + 1);
    assert.equal(sure.markers, k + 1);
    const spared = 8 - sure.looks;
    assert.match(sure.after, new RegExp(`^${course[k].toFixed(1)} % after ${k + 1} of ${k + 1} looks: sure enough, saving ${spared} looks?, ${Math.round(12.5 * spared)} % of the work or about [\\d.]+ ms$`));
    await page.uncheck('#stop');
    assert.equal((await changed(page, sure)).looks, 8);
  }));

  for (const model of models) {
    test(`with noise, as the command line does it for ${model}`, onPage(async (page) => {
      await shown(page);
      await chooseModel(page, model);
      const sample = samplesOf(model)[1];
      await page.click(`#samples [data-sample="${sample[0]}"]`);
      const still = await shown(page, `${sample[0]}, test picture`);
      await openPanel(page);
      await page.check('#noise');
      const eight = await changed(page, still);
      assert.equal(eight.others, 7);
      assert.match(eight.after, /mean of 8 paths$/);
      await slide(page, '#paths', 4);
      const four = await changed(page, eight);
      assert.equal(four.others, 3);
      await slide(page, '#seed', 7);
      await page.waitForFunction(() => location.hash.includes('seed=7'));
      await page.waitForFunction(() => !document.getElementById('stage').hasAttribute('aria-busy'));
      const seven = await shown(page);
      assert.notDeepEqual(seven.places, four.places);
      const [command] = predicted(model, [sampleFile(model, sample)], '--samples', '4', '--random-seed', '7');
      // The paths part by rounding, as those without noise do; what is drawn is the same.
      near(seven.places[0].x, command.glimpses[0].x, 1e-5, 'x of the first look');
      near(seven.places[0].y, command.glimpses[0].y, 1e-5, 'y of the first look');
      near(seven.places[2].x, command.glimpses[2].x, 0.01, 'x of the third look');
      command.top.slice(0, 2).forEach(({ probability }, k) => near(seven.shares[k], 100 * probability, 0.5, `share ${k}`));

      await page.click('#again');
      await page.waitForFunction(() => location.hash.includes('seed=8'));
      assert.equal(await page.inputValue('#seed'), '8');
      await page.uncheck('#noise');
      assert.deepEqual((await changed(page, seven)).places, still.places);
    }));
  }
});

test('a seed that is none gets a sentence, and the last one holds', onPage(async (page) => {
  const still = await shown(page);
  await openPanel(page);
  await page.check('#noise');
  await changed(page, still);
  for (const wrong of ['-3', '1.5', '']) {
    await page.fill('#seed', wrong);
    await page.press('#seed', 'Enter');
    assert.equal(await refusal(page), 'The seed must be a whole number from 0 to 4294967295; it is 1 again.');
    assert.equal(await page.inputValue('#seed'), '1');
    await page.evaluate(() => document.getElementById('message').classList.remove('refusal'));
  }
  await page.fill('#seed', '-3');
  await page.click('#again');
  await page.waitForFunction(() => location.hash.includes('seed=2'));
  await shown(page);

  const paste = (into) => page.evaluate((id) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', '5');
    document.getElementById(id).dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
    return document.getElementById('message').classList.contains('refusal');
  }, into);
  assert.deepEqual([await paste('seed'), await paste('noise')], [false, true], 'digits belong into its box');
}));

test('who resets with the keyboard stays among the controls', onPage(async (page) => {
  const full = await shown(page);
  await openPanel(page);
  await slide(page, '#glimpses', 3);
  await changed(page, full);
  await page.press('#reset', 'Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'glimpses');
}));

describe('look here', () => {
  test('with the mouse: it looks there, goes on from there, and lets go', onPage(async (page) => {
    await shown(page);
    await chooseModel(page, 'cifar10');
    const alone = await shown(page, 'airplane');
    assert.equal(alone.steer, 'Click the picture: it looks there first.');
    const box = await page.locator('#here').boundingBox();
    const click = (x, y) => page.mouse.click(box.x + box.width * (x + 1) / 2, box.y + box.height * (y + 1) / 2);
    await click(-0.6, 0.7);
    const first = await changed(page, alone);
    near(first.places[0].x, -0.6, 0.005, 'x');
    near(first.places[0].y, 0.7, 0.005, 'y');
    assert.equal(first.looks, 8);
    assert.match(first.after, /after 1 of 8 looks/);
    assert.ok(Math.hypot(first.places[1].x + 0.6, first.places[1].y - 0.7) <= Math.hypot(0.75, 0.75) + 0.01, 'the second is a move from there');
    assert.notDeepEqual(first.shares, alone.shares);
    assert.equal(first.steer, `Your look 1: ${first.summary.split(', after')[0]}; by itself ${alone.label}, ${alone.after.match(/^[\d.]+ %/)[0]}.`);

    await click(0.8, -0.8);
    const second = await changed(page, first);
    assert.equal(second.places[0].x, first.places[0].x);
    near(second.places[1].x, 0.8, 0.005, 'x of the second');
    assert.match(second.after, /after 2 of 8 looks/);
    assert.match(second.steer, /^Your looks 1, 2: /);
    assert.equal(await page.locator('#looks .pinned').count(), 2);
    assert.equal(await page.locator('.marker.own').count(), 2);

    await page.click('#free');
    await changed(page, second);
    await page.locator('#looks input').last().check({ force: true });
    assert.deepEqual(lasting(await shown(page)), lasting(alone));
    assert.equal(await page.locator('#looks .pinned').count(), 0);
  }));

  test('with the keyboard', onPage(async (page) => {
    const alone = await shown(page);
    await page.focus('#here');
    for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowLeft');
    for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const there = await changed(page, alone);
    near(there.places[0].x, -0.25, 1e-6, 'x');
    near(there.places[0].y, 0.5, 1e-6, 'y');
  }));

  test('a look that it did not come to is not spoken of, but can be let go', onPage(async (page) => {
    await shown(page);
    await page.evaluate(() => { location.hash = '#model=mnist&picture=9-1&stop=0.01&look8=0.5,0.5'; });
    const early = await shown(page, '9, test picture 1');
    assert.ok(early.looks < 8);
    assert.match(early.steer, /^Click the picture/);
    await page.click('#free');
    await page.waitForFunction(() => location.hash === '#model=mnist&picture=9-1&stop=0.01');
    assert.equal(await page.isVisible('#free'), false);
  }));

  test('another picture is looked at without', onPage(async (page) => {
    const alone = await shown(page);
    await page.mouse.click(...await page.locator('#here').boundingBox().then(({ x, y }) => [x + 20, y + 20]));
    await changed(page, alone);
    await page.click('#samples [data-sample="9"]');
    assert.match((await shown(page, '9, test picture')).steer, /^Click the picture/);
  }));
});

test('the looks can be scrubbed with a finger or a mouse', onPage(async (page) => {
  await shown(page);
  await page.locator('#looks').scrollIntoViewIfNeeded();
  const box = await page.locator('#looks').boundingBox();
  const over = (look) => [box.x + box.width * (look + 0.5) / 8, box.y + 15];
  await page.mouse.move(...over(7));
  await page.mouse.down();
  await page.mouse.move(...over(4));
  assert.match(await page.textContent('#after'), /after 5 of 8/);
  await page.mouse.move(...over(1));
  await page.mouse.up();
  assert.match(await page.textContent('#after'), /after 2 of 8/);
  await page.mouse.move(...over(6));
  assert.match(await page.textContent('#after'), /after 2 of 8/);
}));

test('the Gaussian of the next place is drawn where the next look goes', onPage(async (page) => {
  const result = await shown(page);
  assert.equal(await page.locator('#overlay ellipse').count(), 0, 'after the last look there is none');
  await page.locator('#looks input').nth(2).check({ force: true });
  const ellipse = await page.locator('#overlay ellipse').last().evaluate((e) => ['cx', 'cy', 'rx'].map((name) => Number(e.getAttribute(name))));
  near(ellipse[0] / 256 - 1, result.places[3].x, 1e-6, 'x');
  near(ellipse[1] / 256 - 1, result.places[3].y, 1e-6, 'y');
  const sigma = Number((await page.textContent('#facts')).match(/Nextσ ([\d.]+)/)[1]);
  near(ellipse[2], sigma * 0.75 * 256, 1, 'radius'); // sigma is told to a hundredth
}));

describe('a link', () => {
  test('brings all of it back', onPage(async (page) => {
    await shown(page);
    await chooseModel(page, 'cifar10');
    await page.click('#samples [data-sample="bird"]');
    const plain = await shown(page, 'bird');
    await openPanel(page);
    await slide(page, '#glimpses', 6);
    const six = await changed(page, plain);
    const box = await page.locator('#here').boundingBox();
    await page.mouse.click(box.x + 30, box.y + 40);
    const first = await changed(page, six);
    await page.check('#noise');
    const before = await changed(page, first);
    await page.click('#copy-link');
    await page.waitForFunction(() => document.getElementById('done').textContent === 'Link copied.');
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(link, /#model=cifar10&picture=bird-75&looks=6&samples=8&seed=1&look1=-0\.\d+,-0\.\d+$/);

    await page.goto('about:blank');
    await page.goto(link);
    const again = await shown(page, 'bird');
    assert.equal(again.summary, before.summary);
    assert.equal(again.others, 7);
    assert.deepEqual(again.shares, before.shares);
    again.places.forEach(({ x, y }, k) => {
      near(x, before.places[k].x, 0.004, `x of look ${k}`);
      near(y, before.places[k].y, 0.004, `y of look ${k}`);
    });
    await page.evaluate(() => { location.hash = '#model=mnist&picture=9-1&stop=0.5'; });
    const other = await shown(page, '9, test picture 1');
    assert.equal(await page.isChecked('#stop'), true);
    assert.equal(await page.inputValue('#lead'), '50');
    assert.equal(other.label, '9');
    assert.ok(other.looks < 8);
  }, { permissions: ['clipboard-read', 'clipboard-write'] }));

  test('that the person enters is not overwritten by one that was about to be written', onPage(async (page) => {
    await shown(page);
    await page.click('#samples [data-sample="7"]');
    await shown(page, '7, test picture');
    await page.waitForFunction(() => window.write);
    await page.evaluate(() => {
      location.hash = '#model=mnist&picture=9-1&looks=5';
      window.write(); // before the page is told that the address is another
    });
    assert.equal((await shown(page, '9, test picture 1')).looks, 5);
    assert.match(page.url(), /#model=mnist&picture=9-1&looks=5$/);
  }, {
    before: () => {
      const { setTimeout } = window;
      window.setTimeout = (f, delay, ...more) => (delay === 250 ? (window.write = f, 0) : setTimeout(f, delay, ...more));
    },
  }));

  test('that asks for what there is not gets a sentence', onPage(async (page) => {
    const good = await shown(page);
    for (const [hash, sentence] of [
      ['#looks=99', 'The link says looks=99; want a whole number from 1 to 8. The page shows its usual look instead.'],
      ['#samples=2.5', 'The link says samples=2.5; want a whole number from 1 to 32. The page shows its usual look instead.'],
      ['#stop=', 'The link says stop=; want a number from 0.01 to 1. The page shows its usual look instead.'],
      ['#look1=here', 'The link says look1=here; want two numbers from -1 to 1, as in look1=0.5,-0.25. The page shows its usual look instead.'],
      ['#model=dogs', 'The link asks for the network “dogs”; this page has mnist, cifar10. It shows the first instead.'],
      ['#picture=dragon-1', 'The link asks for the picture “dragon-1”, which is not among the samples. The page shows the first instead.'],
    ]) {
      await page.evaluate((asked) => { location.hash = asked; }, hash);
      await page.waitForFunction((name) => document.getElementById('message').textContent.includes(name), sentence.slice(0, 30));
      assert.equal((await refusal(page)).replace(/this page has .*?\./, 'this page has mnist, cifar10.'), sentence);
      assert.equal((await shown(page)).summary, good.summary);
    }
  }));
});

test('a result is copied as the JSON of the command line', onPage(async (page) => {
  await shown(page);
  await page.click('#copy-json');
  await page.waitForFunction(() => document.getElementById('done').textContent === 'Result copied as JSON.');
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  const sample = samplesOf('mnist')[0];
  const [command] = predicted('mnist', [sampleFile('mnist', sample)]);
  assert.deepEqual(Object.keys(copied).slice(0, 6), ['file', 'model', 'label', 'probability', 'top', 'glimpses']);
  assert.equal(copied.label, command.label);
  near(copied.probability, command.probability, 0.001, 'probability');
  assert.deepEqual(copied.top.map(({ label }) => label).slice(0, 1), command.top.map(({ label }) => label).slice(0, 1));
  assert.deepEqual(Object.keys(copied.glimpses[0]), Object.keys(command.glimpses[0]));
  near(copied.glimpses[0].x, command.glimpses[0].x, 1e-6, 'x');
  assert.deepEqual(Object.keys(copied.milliseconds), ['decode', 'prepare', 'look']);
}, { permissions: ['clipboard-read', 'clipboard-write'] }));

describe('the path is saved', () => {
  /** Clicks, and returns the bytes and the name of the file that comes. */
  async function saved(page, id) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(id)]);
    return { bytes: readFileSync(await download.path()), name: download.suggestedFilename() };
  }

  /** What Chromium decodes: size, and pixels of some frames at some places. */
  const decoded = (page, bytes, type, places) => page.evaluate(async ([data, kind, where]) => {
    const decoder = new ImageDecoder({ data: Uint8Array.fromBase64(data), type: kind });
    await decoder.tracks.ready;
    const { frameCount } = decoder.tracks.selectedTrack;
    const frames = [];
    for (let i = 0; i < frameCount; i++) {
      const { image } = await decoder.decode({ frameIndex: i });
      const canvas = new OffscreenCanvas(image.displayWidth, image.displayHeight);
      const context = canvas.getContext('2d', { willReadFrequently: true });
      context.drawImage(image, 0, 0);
      frames.push({
        width: canvas.width, height: canvas.height, duration: image.duration,
        pixels: where.map(([x, y]) => [...context.getImageData(Math.round(x * canvas.width), Math.round(y * canvas.width), 1, 1).data.slice(0, 3)]),
      });
    }
    return frames;
  }, [bytes.toString('base64'), type, places]);

  /** Corners in 0..1, and what the page itself shows there; a look far out may draw over some. */
  const corners = [[0.02, 0.02], [0.98, 0.02], [0.02, 0.98], [0.98, 0.98]];
  const shownThere = (page) => page.evaluate((places) => {
    const { data } = document.getElementById('picture').getContext('2d').getImageData(0, 0, 128, 128);
    return places.map(([x, y]) => 4 * (128 * Math.floor(128 * y) + Math.floor(128 * x))).map((at) => [...data.slice(at, at + 3)]);
  }, corners);
  function alike(pixels, want, tolerance) {
    const same = want.filter((pixel, i) => pixel.every((v, c) => Math.abs(v - pixels[i][c]) <= tolerance)).length;
    assert.ok(same >= 2, `corners of the picture: got ${JSON.stringify(pixels)}, want ${JSON.stringify(want)}`);
  }

  test('as a picture', onPage(async (page) => {
    await shown(page);
    await chooseModel(page, 'cifar10');
    const result = await shown(page, 'airplane');
    const { bytes, name } = await saved(page, '#save-png');
    assert.equal(name, `${result.label}-in-8-looks.png`);
    const [frame, ...more] = await decoded(page, bytes, 'image/png', corners);
    assert.equal(more.length, 0);
    assert.deepEqual([frame.width, frame.height], [1024, 1216]);
    alike(frame.pixels, await shownThere(page), 8);
  }));

  test('as a film', onPage(async (page) => {
    await shown(page);
    await chooseModel(page, 'cifar10');
    const result = await shown(page, 'airplane');
    const { bytes, name } = await saved(page, '#save-gif');
    assert.equal(name, `${result.label}-in-8-looks.gif`);
    const frames = await decoded(page, bytes, 'image/gif', [...corners, [0.5, 1.01]]);
    assert.equal(frames.length, 8);
    assert.deepEqual(frames.map(({ duration }) => duration / 1000), [...Array(7).fill(700), 2400]);
    assert.deepEqual([frames[0].width, frames[0].height], [384, 456]);
    const want = await shownThere(page);
    for (const { pixels } of frames) {
      alike(pixels, want, 16);
      assert.ok(Math.max(...pixels[4]) < 40, `the caption is dark: ${pixels[4]}`);
    }
    assert.ok(bytes.length < 1.5e6, `${bytes.length} bytes`);
  }));
});

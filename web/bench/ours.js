// Our side of every comparison: the program, its exported model, and pictures in files.
import { execFileSync } from 'node:child_process';
import { readdirSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const top = fileURLToPath(new URL('../..', import.meta.url));
export const pictureShape = [3, 128, 128];
const pictureLength = 3 * 128 * 128;

/** The version of a package that is raced against. */
export const versionOf = (name) => JSON.parse(readFileSync(path.join(top, 'web/bench/node_modules', name, 'package.json'), 'utf8')).version;

/**
 * What a program answers: rows of numbers, one a picture.
 * @typedef {{ logits: number[][], locations: number[][][], weights: number[][] }} Answers
 */

/** Builds the Go programs into a folder of their own, which close removes. */
export function open() {
  const folder = mkdtempSync(path.join(tmpdir(), 'gdram-bench-'));
  const file = (name) => path.join(folder, name);
  const programs = { gdram: './core/cmd/gdram', racer: './web/bench/racer', formula: './core/internal/golden/formula' };
  for (const [name, source] of Object.entries(programs)) {
    execFileSync('go', ['build', '-trimpath', '-o', file(name), source], { cwd: top, stdio: 'inherit' });
  }
  const call = (name, ...args) => execFileSync(file(name), args, { cwd: top, encoding: 'utf8', maxBuffer: 1 << 26 });

  /** The weights of a data set: those that were trained or, where there are none, the golden files'. */
  function weightsOf(dataset) {
    const trained = path.join(top, 'weights', `${dataset}.safetensors`);
    return existsSync(trained) ? trained : formula(dataset === 'cifar100' ? 100 : 10);
  }
  function formula(classes) {
    const to = file(`formula${classes}.safetensors`);
    if (!existsSync(to)) call('formula', String(classes), to);
    return to;
  }
  return {
    racer: file('racer'),
    formula,
    weightsOf,
    /** The model in another engine's format. */
    exported(weights) {
      const to = file(`${path.basename(weights, '.safetensors')}.onnx`);
      call('gdram', 'export', '--weights', weights, '--onnx', to);
      return to;
    },
    /** The bundled pictures of a data set, as the network takes them. */
    samples(dataset) {
      const from = path.join(top, 'web/samples', dataset);
      const names = readdirSync(from).filter((name) => name.endsWith('.png'));
      const to = file(`${dataset}.f32`);
      call('racer', 'prepare', weightsOf(dataset), to, ...names.map((name) => path.join(from, name)));
      return to;
    },
    /** The first test pictures of a data set in the folder of data. */
    testPictures(dataset, data, count) {
      const to = file(`${dataset}-test.f32`);
      call('racer', 'dataset', weightsOf(dataset), to, data, String(count));
      return to;
    },
    /** Writes pictures so that the programs can read them. */
    saved(name, pictures) {
      const to = file(`${name}.f32`);
      writeFileSync(to, Buffer.from(pictures.buffer, pictures.byteOffset, pictures.byteLength));
      return to;
    },
    /** @param {'policy' | 'random'} looks who chooses the places @returns {Answers} */
    answer: (weights, pictures, looks = 'policy') => JSON.parse(call('racer', 'answer', weights, pictures, looks)),
    close: () => rmSync(folder, { recursive: true }),
  };
}

/** Reads what samples and saved have written: [count][3][128][128]. */
export function readPictures(file) {
  const b = readFileSync(file);
  const data = new Float32Array(b.buffer.slice(b.byteOffset, b.byteOffset + b.length));
  return { data, count: data.length / pictureLength };
}

/** The same pictures as bytes, [count][128][128][3]. */
export function pictureBytes(file) {
  const { data } = readPictures(file);
  const plane = pictureLength / 3;
  return Uint8Array.from({ length: data.length }, (_, i) => {
    const [n, at] = [Math.floor(i / pictureLength), i % pictureLength];
    return Math.round(255 * data[n * pictureLength + at % 3 * plane + Math.floor(at / 3)]);
  });
}

/** Reads a tensor of a golden file as the typed array of its kind. */
export function golden(name) {
  const b = readFileSync(path.join(top, 'core/internal/golden/testdata', `${name}.safetensors`));
  const start = 8 + Number(b.readBigUInt64LE(0));
  const header = JSON.parse(b.toString('utf8', 8, start));
  const kinds = { U8: Uint8Array, F32: Float32Array };
  return (tensor) => {
    const { dtype, data_offsets: [from, to] } = header[tensor];
    return new kinds[dtype](Uint8Array.from(b.subarray(start + from, start + to)).buffer);
  };
}

// Files that are hard to come by: made here, byte by byte.
import { deflateSync } from 'node:zlib';

const table = Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name), data]);
  const made = Buffer.alloc(body.length + 8);
  made.writeUInt32BE(data.length, 0);
  body.copy(made, 4);
  made.writeUInt32BE(crc32(body), body.length + 4);
  return made;
}

/** A black PNG of any size, 1 bit a pixel: 20,000 x 20,000 is 50 KB that unfold to 1.6 GB. */
export function blackPNG(width, height) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 1;
  const rows = Buffer.alloc(height * (1 + Math.ceil(width / 8)));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A JPEG as a camera held sideways writes it: EXIF says to turn it by 90 degrees clockwise. */
export function turned(jpeg) {
  const exif = Buffer.from([
    0xff, 0xe1, 0, 34, ...Buffer.from('Exif\0\0'),
    0x4d, 0x4d, 0, 42, 0, 0, 0, 8, // big endian, first directory at 8
    0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, // one entry: orientation 6
    0, 0, 0, 0,
  ]);
  return Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)]);
}

/** A weights file with other metadata; only what is given changes. */
export function withMetadata(safetensors, change) {
  const length = Number(safetensors.readBigUInt64LE(0));
  const header = JSON.parse(safetensors.toString('utf8', 8, 8 + length));
  header.__metadata__ = { ...header.__metadata__, dataset: 'something else', ...change };
  const text = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([head, text, safetensors.subarray(8 + length)]);
}

/** Weights, of two bytes a number, that no sum can hold. */
export function overflowing(safetensors) {
  const start = 8 + Number(safetensors.readBigUInt64LE(0));
  const { __metadata__: _, ...tensors } = JSON.parse(safetensors.toString('utf8', 8, start));
  const made = Buffer.from(safetensors);
  for (const [name, { data_offsets: [from, to] }] of Object.entries(tensors)) {
    for (let at = start + from; at < start + to; at += 2) {
      made.writeUInt16LE(name.endsWith('running_var') ? 0 : at % 8 ? 0x7bff : 0xfbff, at); // or else the largest, of either sign
    }
  }
  return made;
}

import { Refusal } from './refusal.js';

const MOST = 8 << 20; // as in wasm/worker/handler.go
const MOST_AT_ONCE = 24 << 20; // of all requests that arrive at the moment: an isolate has 128 MB

let arriving = 0;

/**
 * Reads a body whole, within bounds of size and time.
 *
 * @param {Request} request
 * @param {number} seconds it may take to arrive
 * @param {boolean} wanted else it is read for nothing and comes back empty
 * @returns {Promise<Uint8Array>}
 */
export async function readBody(request, seconds, wanted) {
  if (!request.body) return new Uint8Array();
  const reader = request.body.getReader();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    reader.cancel().catch(() => {});
  }, 1000 * seconds);
  const tooLarge = new Refusal(413, `The picture has more than ${MOST >> 20} MiB; send it smaller.`);
  let refusal = wanted && Number(request.headers.get('Content-Length')) > MOST ? tooLarge : undefined;
  // Pieces are copied together as they come: each is a view of a buffer of the runtime's, of kilobytes for a single byte.
  let held = new Uint8Array();
  let length = 0;
  try {
    while (wanted && !refusal) {
      const { done, value } = await reader.read();
      if (late) throw new Error('cancelled');
      if (done) return held.subarray(0, length);
      const size = grown(held.length, length + value.length);
      if (length + value.length > MOST) refusal = tooLarge;
      else if (arriving - held.length + size > MOST_AT_ONCE) refusal = new Refusal(429, 'Too many large pictures arrive at once; send this one again.', { 'Retry-After': '1' });
      else {
        arriving += size - held.length;
        if (size > held.length) held = new Uint8Array(held.buffer.transfer(size));
        held.set(value, length);
        length += value.length;
      }
    }
    // What came of it makes room while the rest comes.
    arriving -= held.length;
    held = new Uint8Array();
    await drain(reader);
    if (refusal) throw refusal;
    return new Uint8Array();
  } catch {
    if (refusal) throw refusal;
    if (late) throw new Refusal(408, `The picture took longer than ${seconds} seconds to arrive; send it smaller.`);
    throw new Refusal(400, 'The picture broke off; send it again.');
  } finally {
    clearTimeout(timer);
    arriving -= held.length;
  }
}

/**
 * Reads on a while for nothing: who is not listened to while speaking may hang up before the answer.
 *
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 */
async function drain(reader) {
  for (let left = 2 * MOST; left > 0;) {
    const { done, value } = await reader.read();
    if (done) return;
    left -= value.length;
  }
  await reader.cancel();
}

/** The size of a buffer for so many bytes, which doubles so that little is copied twice. @param {number} size it has @param {number} length */
const grown = (size, length) => (length <= size ? size : Math.min(Math.max(length, 2 * size), MOST));

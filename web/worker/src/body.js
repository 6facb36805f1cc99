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
  /** @type {Uint8Array[]} */
  let chunks = [];
  let length = 0;
  try {
    while (wanted && !refusal) {
      const { done, value } = await reader.read();
      if (late) throw new Error('cancelled');
      if (done) return joined(chunks, length);
      chunks.push(value);
      length += value.length;
      arriving += value.length;
      if (length > MOST) refusal = tooLarge;
      else if (arriving > MOST_AT_ONCE) refusal = new Refusal(429, 'Too many large pictures arrive at once; send this one again.', { 'Retry-After': '1' });
    }
    // What came of it makes room while the rest comes.
    chunks = [];
    arriving -= length;
    length = 0;
    await drain(reader);
    if (refusal) throw refusal;
    return new Uint8Array();
  } catch {
    if (refusal) throw refusal;
    if (late) throw new Refusal(408, `The picture took longer than ${seconds} seconds to arrive; send it smaller.`);
    throw new Refusal(400, 'The picture broke off; send it again.');
  } finally {
    clearTimeout(timer);
    arriving -= length;
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

/** @param {Uint8Array[]} chunks @param {number} length of all */
function joined(chunks, length) {
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

// Bulk: a picture put at pictures/MODEL/NAME of the bucket is told to the queue (R2's event notifications),
// and its answer appears at results/MODEL/NAME.jsonl, one line of JSON.
//
// A queue delivers at least once, in any order. A line has a place of its own, made of its picture's, so that
// however often a message comes there is one; and it is written from the picture as it lies there at that
// time. What cannot be a picture gets a line that says so. What fails otherwise is delivered again, and
// after some times goes to the dead-letter queue.
import { serve } from './engine.js';

const MOST = 8 << 20; // as in wasm/worker/handler.go

/**
 * @param {Batch} batch
 * @param {Environment} env
 */
export async function consume(batch, env) {
  const { BUCKET: bucket } = env;
  if (!bucket) {
    console.error('The queue sends messages to a Worker without its bucket; deploy it with make deploy BULK=1, or remove the consumer from the queue.');
    batch.retryAll({ delaySeconds: 3600 }); // time to do so before they are given up
    return;
  }
  for (const message of batch.messages) {
    try {
      await classify(message.body, bucket);
      message.ack();
    } catch (error) {
      console.error(`Message ${message.id}, delivered ${message.attempts} times:`, error);
      message.retry();
    }
  }
}

/**
 * @param {any} event of R2
 * @param {Bucket} bucket
 */
async function classify(event, bucket) {
  const key = event?.object?.key;
  const [, model, name] = /^pictures\/([^/]+)\/(.+)$/.exec(key) ?? [];
  if (!name) throw new Error('it does not tell of a picture at pictures/MODEL/NAME');
  const place = `results/${model}/${name}.jsonl`;

  const picture = await bucket.get(key);
  if (!picture) return; // removed since
  const known = await bucket.head(place);
  if (known?.customMetadata?.etag === picture.etag) return; // delivered again

  const line = { key, etag: picture.etag, ...await answer(model, picture) };
  await bucket.put(place, `${JSON.stringify(line)}\n`, {
    httpMetadata: { contentType: 'application/x-ndjson' }, customMetadata: { etag: picture.etag },
  });
  // Another may have taken its place meanwhile, whose message may have been quicker.
  const now = await bucket.head(key);
  if (now && now.etag !== picture.etag) throw new Error('the picture changed');
}

/** @param {string} model @param {NonNullable<Awaited<ReturnType<Bucket['get']>>>} picture */
async function answer(model, picture) {
  if (picture.size > MOST) return { error: `The picture has more than ${MOST >> 20} MiB; put it smaller.` };
  const body = new Uint8Array(await picture.arrayBuffer());
  // Whatever kind of picture it is, it tells itself; RGBA does not.
  const type = picture.key.endsWith('.rgba') ? 'application/octet-stream' : 'image/png';
  const response = serve('POST', `https://bulk/api/classify?model=${encodeURIComponent(model)}`, type, body);
  if (!response || response.status >= 500) throw new Error('the network failed');
  return JSON.parse(response.body);
}

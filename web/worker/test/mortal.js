// The Worker, whose consumer dies: at the first two batches with a picture kill-..., right after one of its
// lines was written and before its message was acknowledged.
import worker from '../src/worker.js';

let deaths = 0;

export default {
  ...worker,
  async queue(batch, env, context) {
    const { promise: death, reject } = Promise.withResolvers();
    const bucket = {
      get: (...args) => env.BUCKET.get(...args),
      head: (...args) => env.BUCKET.head(...args),
      async put(key, ...args) {
        await env.BUCKET.put(key, ...args);
        if (!key.includes('/kill-') || deaths === 2) return;
        deaths++;
        await env.BUCKET.put('deaths', String(deaths));
        reject(new Error('killed'));
        await new Promise(() => {}); // it goes no further
      },
    };
    await Promise.race([worker.queue(batch, { ...env, BUCKET: bucket }, context), death]);
  },
};

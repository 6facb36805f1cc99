// The Worker: what is no file of the page comes here.
import { readBody } from './body.js';
import { consume } from './bulk.js';
import { serve } from './engine.js';
import { Refusal } from './refusal.js';

export default {
  /**
   * @param {Request} request
   * @param {Environment} env
   */
  async fetch(request, env) {
    try {
      const picture = request.method === 'POST' && new URL(request.url).pathname === '/api/classify';
      const refusal = picture ? await limit(request, env) : undefined;
      const body = await readBody(request, env.UPLOAD_SECONDS, picture && !refusal);
      if (refusal) throw refusal;
      const answer = serve(request.method, request.url, request.headers.get('Content-Type') ?? '', body);
      if (!answer) throw new Refusal(500, 'The network failed on this picture; try another.');
      return new Response(request.method === 'HEAD' || answer.status === 204 ? null : answer.body, answer);
    } catch (error) {
      if (error instanceof Refusal) return error.response;
      console.error(error);
      return new Refusal(500, 'The service failed; try again.').response;
    }
  },

  /** Pictures put into the bucket; see bulk.js. */
  queue: consume,
};

/**
 * Only who sends pictures is counted: the rest costs nothing.
 *
 * @param {Request} request
 * @param {Environment} env
 * @returns {Promise<Refusal | undefined>}
 */
async function limit(request, env) {
  if (!env.RATE_LIMIT) return; // taken out of the configuration
  const { success } = await env.RATE_LIMIT.limit({ key: request.headers.get('CF-Connecting-IP') ?? '' });
  if (!success) return new Refusal(429, 'Too many pictures from your address; wait a minute.', { 'Retry-After': '60' });
}

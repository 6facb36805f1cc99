// The Worker with a place to ask for its memory.
import { left } from './spy.js';
import worker from '../src/worker.js';

export default {
  ...worker,
  async fetch(request, env, context) {
    return new URL(request.url).pathname === '/memory' ? Response.json(left()) : worker.fetch(request, env, context);
  },
};

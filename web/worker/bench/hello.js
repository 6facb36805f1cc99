// What a request costs at least: a Worker of JavaScript alone, which takes what is sent and answers a word.
export default {
  /** @param {Request} request */
  async fetch(request) {
    await request.arrayBuffer();
    return Response.json({ hello: 'world' });
  },
};

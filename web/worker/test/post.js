// Keeps what the consumer of bulk gave up, one file of the bucket a message.
export default {
  fetch: () => new Response('nothing here'),
  async queue(batch, env) {
    for (const { id, body } of batch.messages) await env.BUCKET.put(`failed/${id}`, JSON.stringify(body));
  },
};

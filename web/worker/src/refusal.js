/** An answer that is given before the network is asked: a status and a sentence for who sent the request. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} sentence
   * @param {Record<string, string>} [headers]
   */
  constructor(status, sentence, headers = {}) {
    super(sentence);
    this.status = status;
    this.headers = headers;
  }

  /** As wasm/worker/handler.go writes its own. */
  get response() {
    return Response.json({ error: this.message }, {
      status: this.status,
      headers: {
        'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'Retry-After',
        'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store', ...this.headers,
      },
    });
  }
}

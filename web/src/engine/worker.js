import { decode } from './decode.js';
import { Refusal } from './host.js';
import { startHost } from './start.js';

/**
 * @typedef {{ id: number, call: 'start', parts: import('./start.js').Parts }
 *   | { id: number, call: 'open', name: string, weights: Uint8Array }
 *   | { id: number, call: 'decode', blob: Blob, width?: number, height?: number }
 *   | { id: number, call: 'classify', name: string, picture: import('./host.js').Picture, manner: import('./host.js').Manner }} Request
 * @typedef {{ id: number, value?: any, refusal?: string, failure?: string }} Answer
 */

/** What is asked before it has started waits. @type {Promise<import('./host.js').Host>} */
let host;

/** @param {Request} request */
async function answer(request) {
  switch (request.call) {
    case 'start':
      host = startHost(request.parts);
      return (await host).instructions;
    case 'open':
      return (await host).open(request.name, request.weights);
    case 'decode':
      return decode(request.blob, request.width, request.height);
    case 'classify':
      return (await host).classify(request.name, request.picture, request.manner);
  }
}

/** @param {MessageEvent<Request>} event */
self.onmessage = async ({ data }) => {
  /** @type {Answer} */
  const message = { id: data.id };
  try {
    message.value = await answer(data);
  } catch (error) {
    if (error instanceof Refusal) message.refusal = error.message;
    else message.failure = String(error);
  }
  /** @type {Uint8Array[]} */
  const large = message.value?.reports ?? (message.value?.rgba ? [message.value.rgba] : []);
  const transfer = large.map(({ buffer }) => buffer);
  self.postMessage(message, { transfer });
};

self.postMessage({ id: 0 }); // it runs: a browser that forbids workers never gets here

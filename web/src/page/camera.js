import { Refusal } from '../engine/host.js';
import { byId } from './dom.js';

/** @typedef {import('../engine/host.js').Picture} Picture */

const SIDE = 384; // of the square that is looked at: three times what the network sees

const video = /** @type {HTMLVideoElement} */ (byId('video'));

/** @type {Record<string, string>} */
const reasons = {
  NotAllowedError: 'The camera is not allowed here; allow it for this page and try again.',
  NotFoundError: 'There is no camera on this device; open a picture instead.',
  NotReadableError: 'The camera is in use elsewhere; close that and try again.',
};

/** Looks through the camera, a frame after the other, each as soon as the one before is answered. */
export class Camera {
  /** @type {MediaStream | undefined} */
  #stream;
  /** Counts starts and stops, so that a loop knows when it is no longer wanted. */
  #turn = 0;
  #onFrame;
  #onRate;
  #onEnd;

  /**
   * @param {(picture: Picture) => Promise<void>} onFrame resolves when the picture is answered
   * @param {(perSecond: number) => void} onRate now and then: how many pictures are answered a second
   * @param {() => void} onEnd it ends by itself, unplugged or forbidden
   */
  constructor(onFrame, onRate, onEnd) {
    this.#onFrame = onFrame;
    this.#onRate = onRate;
    this.#onEnd = onEnd;
  }

  get on() {
    return this.#stream !== undefined;
  }

  async start() {
    const turn = ++this.#turn;
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Refusal('The browser gives the camera only to pages from the file system, from this device or over https; open a picture instead.');
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 640 } } });
    } catch (error) {
      throw new Refusal(reasons[/** @type {Error} */ (error).name] ?? 'The camera does not start; open a picture instead.');
    }
    if (turn !== this.#turn) { // stopped while the person was asked
      for (const track of stream.getTracks()) track.stop();
      return;
    }
    this.#stream = stream;
    stream.getVideoTracks()[0].onended = () => {
      if (turn === this.#turn) this.#onEnd();
    };
    video.srcObject = stream;
    await video.play().catch((error) => {
      if (turn === this.#turn) throw error; // not merely stopped while it was starting
    });
    if (turn === this.#turn) this.#run(turn);
  }

  stop() {
    this.#turn++;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
    video.srcObject = null;
  }

  /** @param {number} turn */
  async #run(turn) {
    let count = 0;
    let since = performance.now();
    while (turn === this.#turn) {
      if (document.hidden) {
        await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }));
        count = 0;
        since = performance.now();
        continue;
      }
      if (video.videoWidth > 0) {
        await this.#onFrame(square());
        count++;
      }
      const now = performance.now();
      if (now - since > 500) {
        if (turn === this.#turn) this.#onRate((1000 * count) / (now - since));
        count = 0;
        since = now;
      }
      await nextFrame();
    }
  }
}

/** A new picture of the video or, should none come, the next moment to look again. */
function nextFrame() {
  return new Promise((resolve) => {
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(resolve);
    setTimeout(resolve, 200);
  });
}

const canvas = document.createElement('canvas');
canvas.width = canvas.height = SIDE;
const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));

/** The middle of what the camera sees. @returns {Picture} */
function square() {
  const { videoWidth: width, videoHeight: height } = video;
  const side = Math.min(width, height);
  context.drawImage(video, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  return { rgba: new Uint8Array(context.getImageData(0, 0, SIDE, SIDE).data.buffer), width: SIDE, height: SIDE };
}

/** An image classifier that takes up to eight glimpses of a picture, in WebAssembly. https://arxiv.org/abs/2011.06190 */

export as namespace gdram;

/** An address, or what it would give. */
export type Source = string | URL | Response | Promise<Response> | BufferSource;

export interface Setup {
  /** The engine, gdram.wasm; the one beside this script unless told otherwise. */
  wasm?: Source | WebAssembly.Module;
  /** A network that `gdram` trained, .safetensors; cifar10.safetensors beside this script unless told otherwise. */
  weights?: Source;
}

export interface Network {
  /** One for each class. */
  labels: string[];
  /** What it was trained on, as its file says. */
  dataset: string;
  /** The vector instructions that it uses here: 'relaxed SIMD', 'SIMD' or 'scalar'. */
  engine: string;
}

/** What `classify` looks at. A picture from another site must be readable for this one (CORS). */
export type Picture =
  | Blob
  | ImageData
  | HTMLImageElement
  | HTMLCanvasElement
  | HTMLVideoElement
  | OffscreenCanvas
  | ImageBitmap
  | VideoFrame
  | { data: Uint8Array | Uint8ClampedArray; width: number; height: number };

export interface Options {
  /** Stop looking where the weights say that it is sure enough; those that say nothing stop at a lead of 0.5. */
  fast?: boolean;
  /**
   * Stop once the most probable class leads the next by so much after the first look, above 0, up to 1; what is asked for
   * falls evenly with every look, to nothing after the eighth.
   */
  lead?: number;
  /** Look at most so often, 1 to 8. */
  glimpses?: number;
  /** Answer with the mean of so many looks, their places drawn from the policy's Gaussian, 1 to 1000. They are not stopped early. */
  samples?: number;
  /** What the draws follow from, a whole number from 0 to 4294967295. */
  seed?: number;
  /** Looks, from 1, that are to go to places of your choice. */
  pins?: { look: number; x: number; y: number }[];
  /** How many classes `top` has; 5 unless told otherwise. */
  top?: number;
}

export interface Glimpse {
  /** Centre, from -1 (left) to 1. */
  x: number;
  /** Centre, from -1 (top) to 1. */
  y: number;
  /** How much it counts in the answer, 0 to 1. */
  weight: number;
  /** Standard deviation of the Gaussian that the place was drawn from: mean of the two that follow. */
  sigma: number;
  sigma_x: number;
  sigma_y: number;
}

/** The answer, as `gdram predict --json` tells it. */
export interface Result {
  label: string;
  /** Of that label, 0 to 1. */
  probability: number;
  /** The most probable classes, the first first. */
  top: { label: string; probability: number }[];
  /** The looks, in their order; of several samples the first one's. */
  glimpses: Glimpse[];
  milliseconds: { prepare: number; look: number };
}

/** Loads the network, once. After a failure it may be called again. */
export function initialize(setup?: Setup): Promise<Network>;

/** Says what a picture shows. Calls may overlap. */
export function classify(picture: Picture, options?: Options): Promise<Result>;

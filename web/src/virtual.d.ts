// What web/build makes and the browser leaves to us.

/** Go's glue: defines the global Go. */
declare module 'virtual:wasm_exec';

/** The bundled worker, as text. */
declare module 'virtual:worker' {
  const source: string;
  export default source;
}

/** The weights there are. */
declare module 'virtual:models' {
  const models: { name: string; bytes: number; parts: number; labels: string[] | null }[];
  export default models;
}

/** The versions of the kernels, as base64. */
declare module 'virtual:kernels' {
  const versions: string[];
  export default versions;
}

/** The files of the page as it is served, by their paths. */
declare module 'virtual:site' {
  const site: { version: string; files: string[] };
  export default site;
}

/** What src/sw.js needs of ServiceWorkerGlobalScope; the types of workers and of pages exclude each other. */
interface ServiceWorkerScope {
  addEventListener(type: 'install' | 'activate', listener: (event: { waitUntil(done: Promise<unknown>): void }) => void): void;
  addEventListener(type: 'fetch', listener: (event: { request: Request; respondWith(answer: Promise<Response>): void }) => void): void;
}

declare class Go {
  env: Record<string, string>;
  importObject: WebAssembly.Imports;
  /** Resolves when the program ends. */
  run(instance: WebAssembly.Instance): Promise<void>;
}

/** The exports of wasm/browser; see its bridge.go. What is boolean there is 1 or 0 here. */
interface GoExports {
  mem: WebAssembly.Memory;
  input(size: number): number;
  open(size: number): number;
  prepare(model: number, width: number, height: number): number;
  look(model: number, lead: number, glimpses: number, scale: number, seed: number, sample: number): number;
  release(model: number): number;
  report(model: number): number;
  instructions(): void;
  answerAddress(): number;
  answerSize(): number;
}

/** Called by every script of web/dist that carries data. */
declare var gdramDeliver: (name: string, comment: () => void) => void;

interface Uint8ArrayConstructor {
  /** Newer than the oldest browsers we serve. */
  fromBase64?: (text: string) => Uint8Array<ArrayBuffer>;
}

interface Uint8Array {
  /** Newer than the oldest browsers we serve. */
  setFromBase64?: (text: string) => { read: number, written: number };
}

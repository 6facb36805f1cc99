// What the Worker's modules take from elsewhere: files of the build, and of Cloudflare's runtime what web workers do not have.

declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}

declare module '*.bin' {
  const bytes: ArrayBuffer;
  export default bytes;
}

/** Of Go's glue, what engine.js uses or replaces. */
declare class Go {
  importObject: { gojs: Record<string, (sp: number) => void> };
  mem: DataView;
  exit(code: number): void;
  run(instance: WebAssembly.Instance): Promise<void>;
}

/** The exports of wasm/worker; see its main_js.go. */
interface Program {
  mem: WebAssembly.Memory;
  input(size: number): number;
  serve(head: number): number;
  warm(): void;
}

/** wasm/worker expects both. */
declare var gdramWeights: Record<string, Uint8Array>;
declare var context: { binding: object };

/** The bindings of wrangler.jsonc. */
interface Environment {
  UPLOAD_SECONDS: number;
  RATE_LIMIT?: { limit(of: { key: string }): Promise<{ success: boolean }> };
  BUCKET?: Bucket; // with BULK=1
}

interface Bucket {
  get(key: string): Promise<Stored & { arrayBuffer(): Promise<ArrayBuffer> } | null>;
  head(key: string): Promise<Stored | null>;
  put(key: string, value: string, options: { httpMetadata: { contentType: string }; customMetadata: Record<string, string> }): Promise<unknown>;
}

interface Stored {
  key: string;
  etag: string;
  size: number;
  customMetadata?: Record<string, string>;
}

interface Batch {
  messages: { id: string; attempts: number; body: unknown; ack(): void; retry(): void }[];
  retryAll(options: { delaySeconds: number }): void;
}

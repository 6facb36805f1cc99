// Counts what WebAssembly's instances hold, before any is made. The runtime must have been started with
// --expose-gc: what nobody refers to any more is gone then.
const memories = [];
WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(Instance, args) {
    const instance = new Instance(...args);
    const memory = instance.exports.mem ?? instance.exports.memory;
    if (memory) memories.push(new WeakRef(memory));
    return instance;
  },
});

/** Megabytes of each memory that is left. */
export function left() {
  globalThis.gc();
  return memories.map((memory) => memory.deref()).filter(Boolean).map((memory) => memory.buffer.byteLength / 2 ** 20);
}

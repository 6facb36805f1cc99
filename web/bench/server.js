// Serves this project's files to the pages of the race, on this machine alone, and keeps count of what they load.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { program, wasmExec } from './built.js';
import { top } from './ours.js';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json', '.wasm': 'application/wasm' };

/**
 * @param {Record<string, () => Uint8Array>} made what lies in no file, by its address
 */
export async function serve(made) {
  const find = (address) => {
    if (address in made) return made[address]();
    if (address === '/wasm_exec.js') return readFileSync(wasmExec());
    if (address === '/engine.wasm') return program();
    return readFileSync(path.join(top, address));
  };
  const kept = new Map(); // nobody's page waits for a disk, but in the round to warm up
  const read = (address) => {
    if (!kept.has(address)) kept.set(address, find(address));
    return kept.get(address);
  };
  let loaded = new Map();
  const server = createServer((request, response) => {
    const address = decodeURIComponent(new URL(request.url, 'http://127.0.0.1').pathname);
    try {
      const bytes = read(address);
      loaded.set(address, bytes);
      response.writeHead(200, {
        'Content-Type': types[path.extname(address)] ?? 'application/octet-stream',
        // Isolated, a page may look at a finer clock.
        'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp',
      }).end(bytes);
    } catch (error) {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end(String(error));
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${server.address().port}`,
    /** What was loaded since the last call: { address, raw, gzip }, sizes in bytes. */
    loaded() {
      const list = [...loaded].map(([address, bytes]) => ({ address, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length }));
      loaded = new Map();
      return list;
    },
    close: () => server.close(),
  };
}

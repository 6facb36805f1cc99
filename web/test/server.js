// A web server as static hosts are: files of a folder, gzipped, with headers that a test chooses. A folder's page has one address, as
// with Cloudflare: whoever asks for its file is sent there.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const types = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css', '.png': 'image/png',
  '.webmanifest': 'application/manifest+json', '.wasm': 'application/wasm', '.json': 'application/json',
};

/**
 * Serves a folder on a free port of this machine. `sent` maps each path to the bytes of its body as they were sent; `hold`, when it is
 * set, is waited for before a path is answered; `headers` are those of documents; `forget` reads changed files again.
 */
export async function serve(folder, { headers = {}, fallback = undefined } = {}) {
  const packed = new Map();
  const site = { sent: new Map(), hold: undefined, headers, forget: () => packed.clear() };
  const server = createServer(async (request, response) => {
    const asked = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    if (asked.endsWith('/index.html')) {
      response.writeHead(307, { location: asked.slice(0, -'index.html'.length) }).end();
      return;
    }
    const name = asked.endsWith('/') ? `${asked}index.html` : asked;
    await site.hold?.(name);
    const file = path.join(folder, path.normalize(name));
    const type = types[path.extname(file)] ?? 'application/octet-stream';
    try {
      if (!packed.has(file)) packed.set(file, gzipSync(readFileSync(file)));
    } catch {
      response.writeHead(fallback ? 200 : 404, { 'content-type': types['.html'] });
      response.end(fallback ?? 'There is no such file.');
      return;
    }
    const body = packed.get(file);
    site.sent.set(name, body.length);
    response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip', 'cache-control': 'no-cache', ...(type.startsWith('text/html') ? site.headers : {}) });
    response.end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  site.address = `http://127.0.0.1:${server.address().port}/`;
  site.close = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return site;
}

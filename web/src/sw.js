// Keeps the whole page for when there is no network. A build is kept under its own name, all of it or none,
// so that files of two builds never meet. Pages in other folders of the host keep theirs beside it, so the name begins with the
// folder, and ends it with a sign that no path has.
import site from 'virtual:site';

const self = /** @type {ServiceWorkerScope} */ (/** @type {unknown} */ (globalThis));
const { href: top, pathname } = new URL('.', location.href);
const KIND = `gdram-${pathname}#`;
const name = KIND + site.version;

// The page is kept by its folder's address: hosts such as Cloudflare send whoever asks for its file there, and a browser
// refuses to show an answer that was sent on.
const PAGE = 'index.html';

self.addEventListener('install', (event) => {
  const whole = site.files.map((file) => new Request(file === PAGE ? top : file, { cache: 'reload' }));
  event.waitUntil(caches.open(name).then((cache) => cache.addAll(whole)));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(caches.keys().then((kept) => Promise.all(kept.filter((one) => one.startsWith(KIND) && one !== name).map((old) => caches.delete(old)))));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const asked = request.url.split(/[?#]/)[0] === top + PAGE ? top : request;
  event.respondWith(caches.open(name).then((cache) => cache.match(asked, { ignoreSearch: true })).then((kept) => kept ?? fetch(request)));
});

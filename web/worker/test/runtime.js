// Starts Workers in the real runtime, workerd, through wrangler's test harness, and finds their processes.
import { readFileSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

// Offline, and silent about itself.
Object.assign(process.env, {
  CI: 'true', DO_NOT_TRACK: '1', CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  WRANGLER_SEND_METRICS: 'false', WRANGLER_SEND_ERROR_REPORTS: 'false', WRANGLER_HIDE_BANNER: 'true',
});
const { createTestHarness } = await import('wrangler');

export const folder = fileURLToPath(new URL('..', import.meta.url));
export const top = fileURLToPath(new URL('../../..', import.meta.url));

/** What make worker built: as it is deployed, without bulk. */
export const deployed = { configPath: './wrangler.jsonc', prebuiltWorkerDir: 'build/upload' };

/** What wrangler uploads, in bytes, all networks in it: a plan limits it. Needs `npm run build`. */
export function uploadSize() {
  const upload = path.join(folder, 'build/upload');
  return readdirSync(upload).filter((file) => !/\.(map|md)$/.test(file)).reduce((sum, file) => sum + statSync(path.join(upload, file)).size, 0);
}

/** A sample of the page. @param {string} name */
export const sample = (name) => readFileSync(new URL(`../../samples/${name}`, import.meta.url));

/** One of what test/pictures makes. @param {string} name */
export const photo = (name) => readFileSync(new URL(`../build/pictures/${name}`, import.meta.url));

/**
 * @param {object} worker for wrangler's createTestHarness
 * @param {object[]} others beside it
 */
export async function start(worker, ...others) {
  const before = new Set(runtimes());
  const harness = createTestHarness({ root: folder, workers: [worker, ...others] });
  const { url } = await harness.listen();
  if (!linux) return { harness, url, pid: undefined, direct: url };
  // Two processes were started: a proxy, whose address wrangler gives, and the one with the Worker.
  const pid = runtimes().find((pid) => !before.has(pid) && !ports(pid).includes(Number(url.port)));
  return { harness, url, pid, direct: new URL(`http://127.0.0.1:${ports(pid)[0]}`) };
}

/** Elsewhere, nobody asks for processes, their memory and their time. */
export const linux = process.platform === 'linux';

/** Processes of workerd that this one started. */
function runtimes() {
  if (!linux) return [];
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).map(Number).filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return stat.includes('(workerd)') && Number(parent) === process.pid;
    } catch {
      return false; // it ended meanwhile
    }
  });
}

/** Ports that a process listens on. @param {number} pid */
function ports(pid) {
  const LISTEN = '0A';
  const own = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  }));
  return readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((field) => field[3] === LISTEN && own.has(`socket:[${field[9]}]`))
    .map((field) => parseInt(field[1].split(':')[1], 16));
}

/** Megabytes that a process takes now, and took at most. @param {number} pid */
export function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024;
  return { now: of('VmRSS'), most: of('VmHWM') };
}

/** Milliseconds of processor time that a process has used. @param {number} pid */
export function processorTime(pid) {
  return readdirSync(`/proc/${pid}/task`).reduce(
    (sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6, 0);
}

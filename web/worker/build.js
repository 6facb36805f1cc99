// Makes build/, everything that the Worker's modules import, and build/assets, the page as it is deployed
// beside them. It needs Go:
//
//	node web/worker/build.js
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const top = fileURLToPath(new URL('../..', import.meta.url));
const build = path.join(top, 'web/worker/build');

/**
 * Compiles the program.
 *
 * @param {string} tags of Go's build
 * @param {string} to
 */
export function compile(tags, to) {
  execFileSync('go', ['build', '-tags', tags, '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', to, './wasm/worker'],
    { cwd: top, env: { ...process.env, GOOS: 'js', GOARCH: 'wasm' }, stdio: 'inherit' });
}

/** The network: the program, its kernels, Go's glue from the Go that compiled it, and the weights there are. */
function network() {
  compile('simd', path.join(build, 'program.wasm'));
  for (const name of ['simd.wasm', 'simd_relaxed.wasm']) cpSync(path.join(top, 'core/kernel', name), path.join(build, name));
  const goroot = execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim();
  const glue = readFileSync(path.join(goroot, 'lib/wasm/wasm_exec.js'), 'utf8');
  writeFileSync(path.join(build, 'wasm_exec.js'), `// @ts-nocheck\n${glue}`); // its types are nobody's but Go's

  const models = readdirSync(path.join(top, 'weights')).filter((file) => file.endsWith('.safetensors'))
    .map((file) => path.basename(file, '.safetensors')).sort();
  if (models.length === 0) throw new Error('there are no weights/*.safetensors, so the Worker would have no network; restore them with git');
  for (const name of models) cpSync(path.join(top, 'weights', `${name}.safetensors`), path.join(build, `${name}.bin`));
  writeFileSync(path.join(build, 'weights.js'), [
    ...models.map((name, i) => `import model${i} from ${JSON.stringify(`./${name}.bin`)};`), // a name need not be JavaScript's
    `export default { ${models.map((name, i) => `${JSON.stringify(name)}: model${i}`).join(', ')} };`, '',
  ].join('\n'));
}

/**
 * The page, as a folder to serve. Its files lie in a folder that is named by what is in them, so that browsers may keep them for good; what
 * has to keep its name is asked for again each time. Its policy is also sent as a header, where it can forbid framing as well.
 */
function page() {
  const assets = path.join(build, 'assets');
  execFileSync('go', ['run', './web/build', '-site', assets], { cwd: top, stdio: 'inherit' });
  const html = readFileSync(path.join(assets, 'index.html'), 'utf8');
  const [, policy] = html.match(/<meta http-equiv="Content-Security-Policy" content="([^"]+)">/);

  const hash = createHash('sha256');
  const dist = path.join(assets, 'web/dist');
  for (const name of readdirSync(dist).sort()) hash.update(`${name}\n`).update(readFileSync(path.join(dist, name)));
  const kept = `web/${hash.digest('hex').slice(0, 16)}`;
  for (const name of ['index.html', 'sw.js', 'web/dist/page.js']) {
    const file = path.join(assets, name);
    const text = readFileSync(file, 'utf8');
    if (!text.includes('web/dist/')) throw new Error(`${name} names no file of web/dist any more; see what names them now`);
    writeFileSync(file, text.replaceAll('web/dist/', `${kept}/`));
  }
  renameSync(dist, path.join(assets, kept));

  writeFileSync(path.join(assets, '_headers'), [
    '/*',
    `  Content-Security-Policy: ${policy}; frame-ancestors 'none'`,
    '  X-Content-Type-Options: nosniff',
    '  Referrer-Policy: no-referrer',
    // The service worker fetches the files that it keeps, which documents may not.
    '/sw.js',
    '  ! Content-Security-Policy',
    "  Content-Security-Policy: default-src 'none'; connect-src 'self'",
    `/${kept}/*`,
    '  Cache-Control: public, max-age=31536000, immutable', '',
  ].join('\n'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(build, { recursive: true, force: true });
  mkdirSync(build, { recursive: true });
  network();
  page();
}

#!/usr/bin/env -S node --stack-size=8192
// Runs a program of GOOS=js under Node with the kernels that core/kernel imports, which Go's own
// go_js_wasm_exec knows nothing of:
//
//	GOOS=js GOARCH=wasm go test -tags simd -exec="$PWD/web/build/go_js_wasm_exec.js" ./core/kernel
//
// GDRAM_SIMD=0 leaves the program without kernels, 1 gives it plain SIMD, 2 relaxed SIMD as well;
// unset is 1, as on most machines.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { compileKernels, instantiateWithKernels } from '../src/engine/kernels.js';

// What Go's glue expects to find.
const require = createRequire(import.meta.url);
Object.assign(globalThis, { require, fs: require('fs'), path });
require(path.join(execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim(), 'lib/wasm/wasm_exec.js'));

const simd = Number(process.env.GDRAM_SIMD ??= '1');
if (simd > 1) setFlagsFromString('--experimental-wasm-relaxed-simd'); // Node 20 has it, but not by itself
const versions = ['simd', 'simd_relaxed'].slice(0, simd)
  .map((name) => readFileSync(new URL(`../../core/kernel/${name}.wasm`, import.meta.url)));

const go = new Go();
go.argv = process.argv.slice(2);
// Arguments and environment share 12 KB, so the program gets what its tests read and no more.
for (const name of ['HOME', 'PATH', 'TMPDIR', 'GDRAM_FIXTURES', 'GDRAM_SIMD']) {
  if (process.env[name] !== undefined) go.env[name] = process.env[name];
}
go.exit = process.exit;
const program = await WebAssembly.compile(readFileSync(process.argv[2]));
const instance = await instantiateWithKernels(program, go.importObject, await compileKernels(versions));
process.on('exit', (code) => { // nothing is pending, and Go has not ended: let it report the deadlock
  if (code === 0 && !go.exited) {
    go._pendingEvent = { id: 0 };
    go._resume();
  }
});
await go.run(instance);

// A racer in a process of its own that answers every line with a line, and waits in between.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** @param {string} command @param {string[]} args */
export function start(command, args) {
  // Some machines tell OpenBLAS to be another processor's; left alone it takes its best.
  const { OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE, ...env } = process.env;
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  child.stdin.on('error', () => {}); // the missing answer tells
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    /** @param {...number} numbers @returns {Promise<number[]>} */
    async ask(...numbers) {
      child.stdin.write(`${numbers.join(' ')}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ended early`);
      return value.split(' ').map(Number);
    },
    stop: () => child.stdin.end(),
  };
}

// BENCHMARKS.md: a section for every race, each with the machine that it ran on, so that one can be run anew alone.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { top } from './ours.js';

const file = path.join(top, 'BENCHMARKS.md');
const head = `# Written by \`make bench\`: how fast this is, beside others

Every pair runs interleaved, so that whatever else a machine does hits both; read the ratios. Times are medians, in brackets what eight
of ten rounds lie between. \`make bench RACES=page,native\` runs some of the races and rewrites their sections alone.
`;

/** The machine and what ran on it, in words. @param {Record<string, string>} versions */
export function machine(versions) {
  const processors = os.cpus();
  const system = /^PRETTY_NAME="(.*)"$/m.exec(existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '')?.[1] ?? `${os.type()} ${os.release()}`;
  const all = {
    Go: execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' }).trim().replace('go', ''),
    Node: process.versions.node,
    ...versions,
  };
  return `${processors[0].model.trim()}, ${processors.length} processors, ${os.arch()}, ${system}; ${Object.entries(all).map((pair) => pair.join(' ')).join(', ')};` +
    ` ${new Date().toISOString().slice(0, 10)}.`;
}

/** How idle the machine is, in words: figures from a busy one are worth less, those of many threads most of all. */
export async function idle() {
  const sum = () => os.cpus().reduce(([free, all], { times }) => [free + times.idle, all + Object.values(times).reduce((a, b) => a + b)], [0, 0]);
  const [free, all] = sum();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const [freeThen, allThen] = sum();
  const share = (freeThen - free) / (allThen - all);
  return share > 0.95 ? 'The machine was idle before this began.' : `**The machine was busy: ${Math.round(100 * (1 - share))}% of it was at work before this began.**`;
}

/**
 * The report with sections put in their place; others stay as they were.
 * @param {string} report as it is, perhaps empty
 * @param {string[]} order of all titles
 * @param {Record<string, string>} sections text by title
 */
export function withSections(report, order, sections) {
  const old = report.split(/^## /m).slice(1).map((text) => [text.slice(0, text.indexOf('\n')), text.slice(text.indexOf('\n')).trim()]);
  const all = { ...Object.fromEntries(old), ...sections };
  return head + order.filter((title) => all[title]).map((title) => `\n## ${title}\n\n${all[title]}\n`).join('');
}

export function write(order, sections) {
  writeFileSync(file, withSections(existsSync(file) ? readFileSync(file, 'utf8') : '', order, sections));
}

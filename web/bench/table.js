// Numbers as a report shows them.
import { median, quantile } from 'simple-statistics';

/** The median, and between what eight of ten values lie. */
export function spread(values, digits = 2) {
  const [low, high] = quantile(values, [0.1, 0.9]).map((v) => v.toFixed(digits));
  return `${median(values).toFixed(digits)} (${low} to ${high})`;
}

/** How many times faster: of each round the ratio, then as spread. */
export const faster = (ours, theirs) => spread(theirs.map((time, round) => time / ours[round]));

/** @param {string[]} head @param {(string | number)[][]} rows */
export function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

export const kilobytes = (bytes) => `${Math.round(bytes / 1000).toLocaleString('en')} KB`;

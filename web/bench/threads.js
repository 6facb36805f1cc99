import { availableParallelism } from 'node:os';

/** Numbers of threads worth trying: 1, 2, 4 and so on, and as many as the machine has processors. */
export function threadCounts() {
  const all = availableParallelism();
  return [...new Set([...Array.from({ length: 16 }, (_, i) => 2 ** i).filter((n) => n < all), all])];
}

export const inThreads = (n) => (n === 1 ? '1 thread' : `${n} threads`);

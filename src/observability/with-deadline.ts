import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The outcome of `work`, if there is one within `limitMs` milliseconds; past them the work goes on unobserved.
 * @throws Error past the limit, or what the work rejects with.
 */
export async function withDeadline<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const timer = new AbortController();
  const limit = sleep(limitMs, undefined, { signal: timer.signal }).then((): never => {
    throw new Error(`no answer within ${limitMs} ms`);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    timer.abort();
  }
}

import { setImmediate as nextTurn } from 'node:timers/promises';

/** A turn of the event loop that takes this long, in milliseconds, had somebody to serve. */
const BUSY_TURN_MS = 1;

/**
 * Between two parts of long work that nobody waits for: resolves when those who came meanwhile have been served, and those who came
 * while that was done. At once when nobody has come. After a single turn of the event loop the next part would find as many waiting as
 * the one before. Not within a transaction: what it has locked is waited for.
 * @param patienceMs the most that the work waits: it has to go on, however many come. Default: 100 ms.
 * @param clock milliseconds from any moment.
 */
export async function whenServed(patienceMs = 100, clock = (): number => performance.now()): Promise<void> {
  const startedAtMs = clock();
  for (let turnAtMs = startedAtMs; ;) {
    await nextTurn();
    const nowMs = clock();
    if (nowMs - turnAtMs < BUSY_TURN_MS || nowMs - startedAtMs >= patienceMs) return;
    turnAtMs = nowMs;
  }
}

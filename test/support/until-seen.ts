import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Looks every 25 ms until it has happened.
 * @param what it is, for the error after 30 s.
 */
export async function untilSeen(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await condition());) {
    if (Date.now() > deadline) throw new Error(`it did not happen within 30 s: ${what}`);
    await sleep(25);
  }
}

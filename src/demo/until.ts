import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { DemoError } from './demo-error.js';

/** What a look showed: what was waited for, or what was there instead. */
export type Sighting<T> = { readonly value: T } | { readonly saw: string };

export interface Wait {
  /** What should happen, for the message when it does not. */
  readonly expected: string;
  readonly seconds: number;
  /** Between two looks. Default 50. */
  readonly everyMilliseconds?: number;
  /** Ends the wait with the signal's reason. */
  readonly signal: AbortSignal;
}

/**
 * Looks again and again until it sees what it waits for.
 * @throws DemoError that says what was expected and what was seen last, the signal's reason, or what `look` throws.
 */
export async function until<T>(look: () => Sighting<T> | Promise<Sighting<T>>, wait: Wait): Promise<T> {
  const { expected, seconds, everyMilliseconds = 50, signal } = wait;
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    signal.throwIfAborted();
    const sighting = await look();
    if ('value' in sighting) return sighting.value;
    if (performance.now() >= deadline) {
      throw new DemoError(`expected within ${seconds} s: ${expected}; seen: ${sighting.saw}`);
    }
    await sleep(everyMilliseconds, undefined, { signal }).catch(() => undefined);
  }
}

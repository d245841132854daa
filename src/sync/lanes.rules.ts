/** Work with a clock of its own: a lane that takes long, or fails, does not hold up another. */
export type LaneName =
  'supply' | 'sweep' | 'stops' | 'confirmation' | 'listing' | 'pricing' | 'publishing' | 'simulation';

const SLOW_INTERVALS = 3;
/** With short intervals: the publisher takes up to 5 s by design. */
const LEAST_SLOW_MS = 15_000;
/** The whole listing is due every 10 minutes, and takes minutes with 100,000 offers; a part of it may wait for room for a minute. */
const SLOW_MS: Readonly<Partial<Record<LaneName, number>>> = { listing: 10 * 60_000, confirmation: 2 * 60_000 };

/** How long a lane may run, in milliseconds, before people are told. */
export function slowAfterMs(lane: LaneName, syncIntervalSeconds: number): number {
  return SLOW_MS[lane] ?? Math.max(SLOW_INTERVALS * syncIntervalSeconds * 1000, LEAST_SLOW_MS);
}

import { SYNC_INTERVAL_SECONDS } from './stage.mjs';

/** Up to this many products the delays and the processor time must be met; beyond it memory and limits. */
const DELAY_PRODUCTS = 10_000;
const FEED_P99_MS = (SYNC_INTERVAL_SECONDS + 2) * 1000;
const HOT_P99_MS = 20_000;
const IDLE_CPU_SECONDS = 1;
const MEMORY_BYTES = 350_000_000;
const DRAIN_SHARE = 0.9;
const BURST_MS = 1_000;

/** What one size has missed, as texts. */
export function missedBySize({ products, idle, working, lying, memory, refused }) {
  const isJudged = products <= DELAY_PRODUCTS;
  const cpu = idle.cpuSecondsPerPass === null ? null : idle.cpuSecondsPerPass.program + idle.cpuSecondsPerPass.database;
  return [
    idle.patches > 0 && `${idle.patches} PATCHes although nothing changed`,
    idle.passes === 0 && 'no pass of the feed while nothing changed',
    isJudged && cpu !== null && !(cpu <= IDLE_CPU_SECONDS) && `${cpu.toFixed(2)} s of CPU for a pass without changes`,
    isJudged && working.p99Ms > FEED_P99_MS && `p99 ${inSeconds(working.p99Ms)} with the feed working`,
    isJudged && lying.p99Ms > HOT_P99_MS && `p99 ${inSeconds(lying.p99Ms)} of hot products with the feed lying`,
    memory !== null && memory.peakBytes > MEMORY_BYTES && `${(memory.peakBytes / 1e6).toFixed(0)} MB of memory`,
    refused > 0 && `${refused} requests over a limit`,
  ].filter((text) => text !== false);
}

/** What the burst has missed, as texts. */
export function missedByBurst({ changedWithinMs, missing, cutsTooEarly, drain, refused }) {
  return [
    changedWithinMs > BURST_MS && `the changes took ${changedWithinMs} ms`,
    missing > 0 && `${missing} offers were never told`,
    cutsTooEarly > 0 && `${cutsTooEarly} price cuts before the last sold-out or loss-making offer`,
    drain.patchShare === null && 'drained within one window of the limit: take a smaller --burst-factor',
    drain.patchShare !== null &&
      drain.patchShare < DRAIN_SHARE &&
      `${(drain.patchShare * 100).toFixed(0)} % of the permitted rate`,
    refused > 0 && `${refused} requests over a limit`,
  ].filter((text) => text !== false);
}

export function inSeconds(ms) {
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(1)} s` : 'never';
}

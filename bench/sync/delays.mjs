import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../support/statistics.mjs';
import { change, firstCents, offerIdOf } from './games.mjs';

const CHANGES_PER_SECOND = 5;

/**
 * Raises the price of these games at CodesWholesale, each once, evenly paced, and waits for the PATCHes with the new prices.
 * A delay counts from before the change until G2A has the PATCH, its latency included.
 * @returns milliseconds; a change whose PATCH never came counts as endless.
 */
export async function delaysOfChanges(stage, games, { seconds, rise, waitSeconds }) {
  const { arrivals } = stage;
  await arrivals.read();
  const from = arrivals.count;
  const changed = games.slice(0, seconds * CHANGES_PER_SECOND);
  const changedAtMs = new Map();
  const startedAtMs = Date.now();
  for (const [index, number] of changed.entries()) {
    await sleep(startedAtMs + (index * 1000) / CHANGES_PER_SECOND - Date.now());
    changedAtMs.set(offerIdOf(number), Date.now());
    await stage.change([change(number, { cents: firstCents(number) * rise })]);
  }
  const hasPrice = ({ price }) => price !== undefined;
  const wanted = new Map([...changedAtMs.keys()].map((offerId) => [offerId, hasPrice]));
  const arrivedAtMs = await arrivals.firstOfEach(wanted, { from, deadlineMs: Date.now() + waitSeconds * 1000 });
  const delays = [...changedAtMs]
    .map(([offerId, atMs]) => (arrivedAtMs.get(offerId) ?? Infinity) - atMs)
    .sort((a, b) => a - b);
  return {
    changes: delays.length,
    missing: delays.filter((delay) => delay === Infinity).length,
    medianMs: percentile(delays, 0.5),
    p99Ms: percentile(delays, 0.99),
    maxMs: delays.at(-1),
  };
}

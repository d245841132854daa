import type { RequestRate } from './request-budget.js';

/** How a limit is handed out to replicas in leases. */
export interface LeaseTerms {
  /** How long requests of a lease may be sent, in milliseconds. */
  readonly lifeMs: number;
  /** How long requests count after the lease could last be used, in milliseconds. */
  readonly countsForMs: number;
  /** The most requests in one lease: what a crash wastes for one window. */
  readonly largest: number;
}

/** Leases of a limit with a long window live so long: unused room is back soon, and a pause is known everywhere as soon. */
const LONGEST_LIFE_MS = 2_000;
/** A lease must survive the way from the database to the one who asked. */
const SHORTEST_LIFE_MS = 250;
/** The upstream counts arrivals: a slow request and a quick one a window later may arrive closer together than they were sent. */
const LONGEST_SPREAD_MS = 1_000;
/** Leases in a window, at least. */
const LEASES_PER_WINDOW = 20;
const SPREADS_PER_WINDOW = 50;

/** The terms of a limit: together they cost at most some 7 % of a window of 5 s or more. */
export function leaseTerms({ requests, windowSeconds }: RequestRate): LeaseTerms {
  const windowMs = windowSeconds * 1000;
  const lifeMs = Math.max(SHORTEST_LIFE_MS, Math.min(LONGEST_LIFE_MS, windowMs / LEASES_PER_WINDOW));
  return {
    lifeMs,
    countsForMs: windowMs + Math.min(LONGEST_SPREAD_MS, windowMs / SPREADS_PER_WINDOW),
    largest: Math.max(1, Math.floor(requests / LEASES_PER_WINDOW)),
  };
}

/** How many requests the next lease should hold: twice as many when the last one was used up before its end, else what it was used for. */
export function nextLeaseSize(last: { granted: number; used: number }, largest: number): number {
  const size = last.used >= last.granted ? last.granted * 2 : last.used;
  return Math.min(largest, Math.max(1, size));
}

import type { Cents } from '../money/cents.js';

/** The supplier account by the last count of what is spoken for, in its currency. */
export interface CountedBalance {
  /** Balance and credit. */
  readonly totalToUseCents: Cents;
  /** What was left of it. */
  readonly payableCents: Cents;
  /** Database time of the count, epoch milliseconds; null: nobody has counted yet. */
  readonly countedAt: number | null;
}

/** A count that is older must be renewed before it is relied on: usually every few seconds. */
const MOST_AGE_MS = 30_000;
/** So much is left at least, or every reservation counts anew: this in cents, and that part of the balance. */
const PLENTY = { cents: 100_000, share: 0.1 };

/**
 * What this process has promised since the counts. Everybody's reservations need not wait for the sum of all that is spoken for: only
 * when little may be left. What others promise meanwhile shows in the next count.
 */
export class CommittedSince {
  private countedAt: number | null = null;
  private since = 0;
  /** Between the last two counts: what was promised while one was under way may be missing from it. */
  private before = 0;

  /** @param now database time, epoch milliseconds. */
  isCountDue({ totalToUseCents, payableCents, countedAt }: CountedBalance, cost: Cents, now: number): boolean {
    if (countedAt === null || now - countedAt > MOST_AGE_MS) return true;
    const left = payableCents - cost - this.since - (countedAt === this.countedAt ? this.before : 0);
    return left < Math.max(PLENTY.cents, totalToUseCents * PLENTY.share);
  }

  /** Noted before it is committed: too much only means that somebody counts. */
  add({ countedAt }: CountedBalance, cost: Cents): void {
    if (countedAt !== this.countedAt) {
      this.before = this.since;
      this.since = 0;
      this.countedAt = countedAt;
    }
    this.since += cost;
  }
}

import type { RequestRate } from '../upstream/request-budget.js';
import { SavedRequests } from './saved-requests.rules.js';

/** Ids in one question: some 3 KB of URL, below the 4 KB that are safe. */
export const SWEEP_BATCH = 75;

/** What the sweep may use of CWS's list limit; the rest is for the feed, for paid orders and for reservations. */
const SHARE = 0.5;
/** While the feed is unreliable, and read seldom: all but what is left to everybody else. */
const SHARE_WHILE_UNRELIABLE = 0.75;
/** Of that, hot products get up to this part; the rest of the catalog must get its turn as well. */
const HOT_SHARE = 0.5;
/**
 * A hot product is asked for again after so long, also while the feed is believed: that it lies shows here first. It takes one more
 * interval of synchronization until it is its turn.
 */
const HOT_AFTER_SECONDS = 12;
/** Every other one, if there is room. */
const REST_AFTER_SECONDS = 60;
const REST_AFTER_SECONDS_WHILE_UNRELIABLE = 15;
/** What the sweep did not use it may use later, for so long. */
const SAVED_SECONDS = 60;
/**
 * The same of what is urgent, as a part of the limit's window: a catalog that is new is looked at quickly, and with what the feed
 * needs meanwhile the limit is not used up.
 */
const SAVED_WINDOWS_FOR_URGENT = 0.5;

/** How the sweep spends its share. */
export interface SweepPlan {
  readonly batchesPerSecond: number;
  /** How many that were not used are there for what is urgent. */
  readonly savedForUrgent: number;
  /** So many products can be hot at a time; the rest of those that would be are treated like any other. */
  readonly hotProducts: number;
  /** How old the last answer about a hot product must be. */
  readonly hotAfterSeconds: number;
  /** The same of all others. */
  readonly restAfterSeconds: number;
}

/** @param rate CWS's limit of the product list. */
export function sweepPlan({ requests, windowSeconds }: RequestRate, isFeedUnreliable: boolean): SweepPlan {
  const batchesPerSecond = (requests / windowSeconds) * (isFeedUnreliable ? SHARE_WHILE_UNRELIABLE : SHARE);
  return {
    batchesPerSecond,
    savedForUrgent: requests * SHARE * SAVED_WINDOWS_FOR_URGENT,
    hotProducts: Math.max(1, Math.floor(batchesPerSecond * HOT_SHARE * HOT_AFTER_SECONDS)) * SWEEP_BATCH,
    hotAfterSeconds: HOT_AFTER_SECONDS,
    restAfterSeconds: isFeedUnreliable ? REST_AFTER_SECONDS_WHILE_UNRELIABLE : REST_AFTER_SECONDS,
  };
}

/** How long the sweep needs to ask for so many products once while the feed is unreliable: until it was measured. */
export function expectedCycleSeconds(products: number, rate: RequestRate): number {
  return Math.ceil(products / SWEEP_BATCH) / sweepPlan(rate, true).batchesPerSecond;
}

/** What a batch of the sweep is for: see SweepTargets. */
export type SweepKind = 'urgent' | 'hot' | 'rest';

/** Spreads the sweep's requests evenly: used up at once, they would leave hot products unseen for the rest of the window. */
export class SweepPace {
  private readonly all = new SavedRequests();
  private readonly even = new SavedRequests();

  /** Takes one batch at `nowMs` if there is one. Only hot products may take the last ones: they would have to wait for another round. */
  tryTake(nowMs: number, { batchesPerSecond, savedForUrgent, hotProducts }: SweepPlan, kind: SweepKind): boolean {
    const keptForHot = hotProducts / SWEEP_BATCH;
    const least = kind === 'hot' ? 1 : 1 + keptForHot;
    const mostEven = Math.max(1 + keptForHot, batchesPerSecond * SAVED_SECONDS);
    const all = this.all.at(nowMs, batchesPerSecond, Math.max(mostEven, savedForUrgent));
    const even = this.even.at(nowMs, batchesPerSecond, mostEven);
    if ((kind === 'urgent' ? all : Math.min(all, even)) < least) return false;
    this.all.take();
    if (kind !== 'urgent') this.even.take();
    return true;
  }
}

/**
 * Measures how long the sweep takes to ask for every mapped product once. Left out is the time in which nobody could ask, or was to:
 * an outage or a pause must not make older data acceptable.
 */
export class SweepCycle {
  private startedAt: Date | null = null;
  private lostMs = 0;
  private lastTurnMs: number | null = null;
  private isInTrouble = false;
  private readonly unanswered = new Set<string>();

  /** Who must have been asked since, and for whom nobody waits: CWS's answer did not tell what became of them. */
  get open(): { readonly startedAt: Date | null; readonly unanswered: readonly string[] } {
    return { startedAt: this.startedAt, unanswered: [...this.unanswered] };
  }

  /**
   * A turn begins: it is lost, and the time until the next one, unless `endTurn` tells that it went well.
   * @param nowMs of a clock that never goes back.
   * @param mostIdleMs how long after one turn the next one begins.
   */
  beginTurn(nowMs: number, mostIdleMs: number): void {
    const sinceMs = nowMs - (this.lastTurnMs ?? nowMs);
    this.lostMs += this.isInTrouble ? sinceMs : Math.max(0, sinceMs - mostIdleMs);
    this.lastTurnMs = nowMs;
    this.isInTrouble = true;
  }

  endTurn(nowMs: number): void {
    this.lastTurnMs = nowMs;
    this.isInTrouble = false;
  }

  /** @returns how long the cycle took that has ended now; null: it is the first one that begins, or nothing is left of it. */
  end(now: Date): number | null {
    const tookMs = this.startedAt === null ? 0 : now.getTime() - this.startedAt.getTime() - this.lostMs;
    this.startedAt = now;
    this.lostMs = 0;
    this.unanswered.clear();
    return tookMs > 0 ? tookMs / 1000 : null;
  }

  leaveOut(cwsProductIds: readonly string[]): void {
    for (const id of cwsProductIds) this.unanswered.add(id);
  }
}

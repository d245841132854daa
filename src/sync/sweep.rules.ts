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
/** A hot product is asked for again after so long. It takes one more interval of synchronization until it is its turn. */
const HOT_AFTER_SECONDS = 30;
const HOT_AFTER_SECONDS_WHILE_UNRELIABLE = 12;
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
  const hotAfterSeconds = isFeedUnreliable ? HOT_AFTER_SECONDS_WHILE_UNRELIABLE : HOT_AFTER_SECONDS;
  return {
    batchesPerSecond,
    savedForUrgent: requests * SHARE * SAVED_WINDOWS_FOR_URGENT,
    hotProducts: Math.max(1, Math.floor(batchesPerSecond * HOT_SHARE * hotAfterSeconds)) * SWEEP_BATCH,
    hotAfterSeconds,
    restAfterSeconds: isFeedUnreliable ? REST_AFTER_SECONDS_WHILE_UNRELIABLE : REST_AFTER_SECONDS,
  };
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

/** Measures how long the sweep takes to ask for every mapped product once. */
export class SweepCycle {
  private startedAt: Date | null = null;
  private isDisturbed = false;
  private readonly unanswered = new Set<string>();

  /** Who must have been asked since, and for whom nobody waits: CWS's answer did not tell what became of them. */
  get open(): { readonly startedAt: Date | null; readonly unanswered: readonly string[] } {
    return { startedAt: this.startedAt, unanswered: [...this.unanswered] };
  }

  /** @returns how long the cycle took that has ended now; null when CWS was in trouble meanwhile, so that it says nothing. */
  end(now: Date): number | null {
    const seconds =
      this.startedAt === null || this.isDisturbed ? null : (now.getTime() - this.startedAt.getTime()) / 1000;
    this.startedAt = now;
    this.isDisturbed = false;
    this.unanswered.clear();
    return seconds;
  }

  disturb(): void {
    this.isDisturbed = true;
  }

  leaveOut(cwsProductIds: readonly string[]): void {
    for (const id of cwsProductIds) this.unanswered.add(id);
  }
}

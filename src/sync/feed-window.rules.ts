import type { RequestRate } from '../upstream/request-budget.js';
import type { FeedState } from './sync-cursors.queries.js';

/** A change that becomes visible so long after the time that it bears is found, by the next pass that rereads. */
const WHOLE_OVERLAP_SECONDS = 120;
/** Of all other passes. */
const SMALL_OVERLAP_SECONDS = 5;
/** After a large pass: what has just come in a hundred pages must not come again with every pass of two minutes. */
const LEAST_OVERLAP_SECONDS = 1;
const LARGE_PASS_PAGES = 3;
/** Rereading is due after so long, later where it would take more than this part of CWS's limit, and never later than that. */
const REREAD_AFTER_SECONDS = 60;
const REREAD_SHARE = 1 / 8;
const REREAD_AT_LATEST_SECONDS = 600;
/** The part of CWS's limit that passes of one page may take. */
const FEED_SHARE = 0.4;
/** A clock that is further off is broken: following it would read the whole catalog. */
const LONGEST_CORRECTION_MS = 3_600_000;

/** What a pass asks for. */
export interface FeedWindow {
  /** By CWS's clock, as far as we know it. */
  readonly updatedSince: Date;
  /** It asks for everything since the last one that did so, with the whole overlap. */
  readonly isReread: boolean;
}

/** How many pages passes have had. */
export class FeedCost {
  private lastPass = 0;
  private sinceReread = 0;

  add(pages: number, isReread: boolean): void {
    this.lastPass = pages;
    this.sinceReread = isReread ? pages : this.sinceReread + pages - 1;
  }

  get isLastPassLarge(): boolean {
    return this.lastPass > LARGE_PASS_PAGES;
  }

  /** How long after the last one a pass rereads. */
  rereadAfterSeconds({ requests, windowSeconds }: RequestRate): number {
    const affordable = (this.sinceReread * windowSeconds) / (requests * REREAD_SHARE);
    return Math.min(Math.max(affordable, REREAD_AFTER_SECONDS), REREAD_AT_LATEST_SECONDS);
  }
}

/**
 * Rereading makes sure that nothing is skipped, and is dear when much has changed: it is done now and then.
 * @param rate CWS's limit of the product list.
 */
export function feedWindow(
  { position, rereadPosition }: Pick<FeedState, 'position' | 'rereadPosition'>,
  cost: FeedCost,
  rate: RequestRate,
): FeedWindow {
  const sinceRereadMs = rereadPosition === null ? Infinity : position.getTime() - rereadPosition.getTime();
  if (sinceRereadMs >= cost.rereadAfterSeconds(rate) * 1000) {
    const from = rereadPosition ?? position;
    return { updatedSince: secondsBefore(from, WHOLE_OVERLAP_SECONDS), isReread: true };
  }
  const overlap = cost.isLastPassLarge ? LEAST_OVERLAP_SECONDS : SMALL_OVERLAP_SECONDS;
  return { updatedSince: secondsBefore(position, overlap), isReread: false };
}

/** How long passes must be apart, whatever SYNC_INTERVAL_SECONDS says: the feed would use up CWS's limit by itself. */
export function leastFeedIntervalSeconds({ requests, windowSeconds }: RequestRate): number {
  return windowSeconds / (requests * FEED_SHARE);
}

/**
 * How far CWS's clock is ahead of ours, in milliseconds, up to a second and the answer's way less than it is: negative when it is behind.
 * @param receivedAtMs by our clock.
 */
export function clockLeadMs(answeredAt: Date, receivedAtMs: number): number {
  return answeredAt.getTime() - receivedAtMs;
}

/**
 * Where the pass after this one starts. Behind a clock that is behind ours, changes would bear times that were passed already; one
 * that is ahead costs some overlap.
 * @param leadMs of CWS's clock.
 */
export function positionAfter(startedAt: Date, leadMs: number): Date {
  return new Date(startedAt.getTime() + Math.max(Math.min(leadMs, 0), -LONGEST_CORRECTION_MS));
}

function secondsBefore(time: Date, seconds: number): Date {
  return new Date(time.getTime() - seconds * 1000);
}

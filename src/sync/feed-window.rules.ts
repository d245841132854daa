import type { RequestRate } from '../upstream/request-budget.js';
import type { FeedState } from './sync-cursors.queries.js';

/** A change that becomes visible so long after the time that it bears is found, by the next pass that rereads. */
const WHOLE_OVERLAP_SECONDS = 120;
/** Of other passes: after one of a single page, and where so long a one takes several. */
const USUAL_OVERLAP_SECONDS = 10;
const SHORT_OVERLAP_SECONDS = 5;
/** After a burst: what has just come in a hundred pages, a quarter of CWS's limit, must not come again at once. */
const OVERLAP_AFTER_BURST_SECONDS = 1;
/** More pages than these, that were not expected, are a burst. */
const BURST_PAGES = 10;
/** Rereading what takes several pages is due after so long, later where it would take more than this part of CWS's limit. */
const REREAD_AFTER_SECONDS = 60;
const REREAD_SHARE = 1 / 8;
const REREAD_AT_LATEST_SECONDS = 120;
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

/** How many pages passes have had, and what the next one can afford therefore. */
export class FeedCost {
  private overlap = USUAL_OVERLAP_SECONDS;
  private sinceReread = 0;
  private hasSkipped = false;

  add(pages: number, isReread: boolean): void {
    this.hasSkipped = this.maySkip(isReread);
    const unexpected = isReread ? pages - this.sinceReread : pages;
    if (unexpected > BURST_PAGES) this.overlap = OVERLAP_AFTER_BURST_SECONDS;
    else if (!isReread) this.overlap = pages > 1 ? SHORT_OVERLAP_SECONDS : USUAL_OVERLAP_SECONDS;
    this.sinceReread = isReread ? pages : this.sinceReread + pages - 1;
  }

  /** Of a pass that does not reread. */
  get overlapSeconds(): number {
    return this.overlap;
  }

  /** Whether, with this pass, something that became visible late may still be unread: since the last reread one came after a burst. */
  maySkip(isReread: boolean): boolean {
    return !isReread && (this.hasSkipped || this.overlap === OVERLAP_AFTER_BURST_SECONDS);
  }

  /** How long after the last one a pass rereads: at once where it is one page all the same. */
  rereadAfterSeconds({ requests, windowSeconds }: RequestRate): number {
    if (this.sinceReread <= 1) return 0;
    const affordable = (this.sinceReread * windowSeconds) / (requests * REREAD_SHARE);
    return Math.min(Math.max(affordable, REREAD_AFTER_SECONDS), REREAD_AT_LATEST_SECONDS);
  }
}

/**
 * Rereading makes sure that nothing is skipped. As long as all of it fits in a page it costs nothing, and every pass does it; when
 * much has changed it is dear, and done now and then.
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
  return { updatedSince: secondsBefore(position, cost.overlapSeconds), isReread: false };
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

import type { SupplierOrderStatus } from '../cws/cws.types.js';
import type { UpstreamErrorKind } from '../upstream/upstream-error.js';

const FIRST_GAP_SECONDS = 2;
const LONGEST_GAP_SECONDS = 15;
const GROWTH = 1.5;
const SLOW_GAP_SECONDS = 300;
/** A purchase of this age is not asked about any more, unless it is a pre-order: a person decides. */
export const POLLING_ENDS_AFTER_SECONDS = 24 * 3600;

/** So long a history that fails for now is waited for, and its failure shared at most, whatever CWS says. */
const HISTORY_PATIENCE_SECONDS = 300;

/**
 * Whether CWS is not asked any more, because the purchase is 24 hours old and a person decides. A pre-order's code comes with
 * the release, however late that is.
 */
export function isPollingOver(purchase: { ageSeconds: number; awaitedPreorders: number }): boolean {
  return purchase.ageSeconds >= POLLING_ENDS_AFTER_SECONDS && purchase.awaitedPreorders === 0;
}

/**
 * Seconds until CWS is asked again about a purchase: 2 s growing to 15 s before the order's deadline, 5 minutes after it, for
 * the key is paid and may still come.
 * @param pollCount how often it was asked already.
 */
export function pollGapSeconds(pollCount: number, isPastDeadline: boolean): number {
  if (isPastDeadline) return SLOW_GAP_SECONDS;
  return Math.min(FIRST_GAP_SECONDS * GROWTH ** pollCount, LONGEST_GAP_SECONDS);
}

/** Seconds for which a failed look at the history says all there is to say: as long as CWS has no room, 5 minutes at most; 0: it does not. */
export function sharedFailureSeconds(failure: { readonly retryAfterSeconds: number | undefined }): number {
  return Math.min(failure.retryAfterSeconds ?? 0, HISTORY_PATIENCE_SECONDS);
}

/**
 * Whether the history is not waited for any more, and the purchases themselves are asked about: it would fail again, or has failed for so long that it
 * may never work.
 */
export function isHistoryGivenUp(kind: UpstreamErrorKind, failingSeconds: number): boolean {
  return kind === 'rejected' || kind === 'unknown' || failingSeconds > HISTORY_PATIENCE_SECONDS;
}

/** Whether the history says that an order has come to an end: its details tell which. */
export function isOverInHistory(status: SupplierOrderStatus | undefined): boolean {
  return status === 'completed' || status === 'cancelled' || status === 'failed';
}

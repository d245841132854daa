import type { RequestRate } from '../upstream/request-budget.js';

/** The changed part of the listing is read at least this often while something is unconfirmed. */
const AT_LEAST_EVERY_MS = 60_000;
/** And not more often than this. */
const AT_MOST_EVERY_MS = 10_000;
/** Requests that confirming an update early may cost. */
const REQUESTS_PER_UPDATE = 0.02;
/** A longer listing is not read early: while so many updates are sent, the limit is theirs. */
const MOST_PAGES_EARLY = 10;
/** The most that G2A gives. */
const OFFERS_PER_PAGE = 100;

/** What waits for its confirmation by the listing. */
export interface Unconfirmed {
  readonly count: number;
  /** Those among them that were sent since the listing was read last. */
  readonly newCount: number;
}

/**
 * Whether to read the changed part of the listing now: early if it is short and the updates sent since the last time pay for it, each
 * with 0.02 requests, otherwise after a minute.
 * @param sinceLastReadMs since the listing was read last.
 * @param lastPages requests that it took then.
 */
export function isConfirmationDue(unconfirmed: Unconfirmed, sinceLastReadMs: number, lastPages: number): boolean {
  if (unconfirmed.count === 0 || sinceLastReadMs < AT_MOST_EVERY_MS) return false;
  if (sinceLastReadMs >= AT_LEAST_EVERY_MS) return true;
  const pages = Math.max(Math.floor(unconfirmed.count / OFFERS_PER_PAGE) + 1, lastPages);
  return pages <= MOST_PAGES_EARLY && unconfirmed.newCount * REQUESTS_PER_UPDATE >= pages;
}

/**
 * The least time between two times that the whole listing is read out of turn, for products that were mapped meanwhile: none
 * for a short one; a long one takes a tenth of G2A's usual limit in that way.
 * @param pages requests that it took last time.
 */
export function newMappingIntervalMs(pages: number): number {
  return Math.max(0, pages - 1) * 1000;
}

/** The time after which a whole listing that broke off after some pages is begun again. */
export const FAILED_LISTING_GAP_MS = 60_000;

/** The time from one page of the whole listing to the next, so that it takes a third of the limit: the rest is for updates. */
export function listingPageGapMs({ requests, windowSeconds }: RequestRate): number {
  return (windowSeconds * 1000 * 3) / requests;
}

/** The whole listing is read this often, to find drift, new offers and lost ones; a long one so rarely that it takes few requests. */
export function fullListingIntervalMs(pages: number): number {
  return Math.max(10 * 60_000, pages * 6_000);
}

import type { EntityManager } from 'typeorm';
import type { Cents } from '../money/cents.js';
import type { PriceBounds } from '../pricing/pricing-terms.js';
import { type OfferTrouble, QUARANTINE_FAILURES } from './offer-changes.queries.js';
import { keepShownPrices } from './price-history.queries.js';

/** What G2A was seen to show. */
export interface ObservedOffer {
  readonly g2aOfferId: string;
  readonly g2aProductId: number;
  readonly retailPriceCents: Cents | null;
  readonly businessPriceCents: Cents | null;
  readonly size: number | null;
  readonly isActive: boolean;
  /** G2A's own limits for the price, null on a side without one; null as a whole when the listing does not tell. */
  readonly priceLimit: PriceBounds | null;
  readonly visibility: 'all' | 'retail' | 'business';
}

/** After this time without confirmation a sent change counts as lost and is sent again. */
export const CONFIRMATION_TIMEOUT_SECONDS = 120;

const NOT_SHOWN = `accepted, but not shown after ${CONFIRMATION_TIMEOUT_SECONDS} s`;

/** Nothing that was sent waits for its confirmation. */
const NOTHING_SENT =
  'coalesce(offer.sent_price_cents, offer.sent_business_price_cents, offer.sent_size, offer.sent_is_active::integer) IS NULL';

/** So long a listing may show what was. */
const LISTING_LAG_SECONDS = 60;

/** So long after we sent a stop, an offer that is shown off may be so because of it. */
const STOP_ARRIVES_WITHIN_SECONDS = 600;

/** What a look at offers has brought to light. */
export interface ObservedNews {
  /** Of offers that have recovered: they show what was sent, or what they should by now; or whose accepted change was not shown in time. */
  readonly troubles: readonly OfferTrouble[];
  /** Offers that are shown off, though we want them on sale and have not sent a stop. */
  readonly switchedOff: readonly { readonly g2aOfferId: string; readonly g2aProductId: number }[];
  /** Offers that have become ours. */
  readonly found: readonly string[];
}

/**
 * Stores what G2A shows. A sent change is confirmed when it is seen; one that is still not seen after
 * CONFIRMATION_TIMEOUT_SECONDS (its job may have failed) counts as a failure, and the difference will be published again. An
 * offer that shows what it should, with nothing on its way, has no failures any more, however that came about. A field that the listing leaves out stays as it was last known. An offer seen for the first time becomes ours (the caller
 * lets only mapped products through). One that somebody else has switched off stays off until that is cleared.
 * @param seenAt database time before the request: a change sent later cannot be judged by this answer.
 */
export async function storeObservedOffers(
  manager: EntityManager,
  offers: readonly ObservedOffer[],
  seenAt: Date,
): Promise<ObservedNews> {
  if (offers.length === 0) return { troubles: [], switchedOff: [], found: [] };
  const rows = await manager.query<NewsRow[]>(
    `WITH seen AS (
       SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::integer[], $4::integer[], $5::integer[], $6::boolean[], $7::text[],
           $10::integer[], $11::integer[], $12::boolean[])
         AS seen (id, product, retail, business, size, is_active, visibility, min_price, max_price, tells_limit)
     ), found AS (
       INSERT INTO offers (g2a_offer_id, g2a_product_id, observed_retail_price_cents, observed_business_price_cents,
         observed_size, observed_is_active, observed_visibility, observed_at, observed_min_price_cents,
         observed_max_price_cents)
       SELECT id, product, retail, business, size, is_active, visibility, $8, min_price, max_price FROM seen
       ON CONFLICT DO NOTHING
       RETURNING g2a_offer_id, g2a_product_id
     ), created AS (
       DELETE FROM offer_creations WHERE g2a_product_id IN (SELECT g2a_product_id FROM found)
     ), judged AS (
       SELECT seen.*, offer.sent_at AS judged_sent_at, offer.sent_at < $8::timestamptz - make_interval(secs => $9::integer) AS is_timed_out,
         offer.failure_count > 0 AS had_failed, sent.is_pending,
         -- Off only because G2A refuses its price.
         offer.desired_is_active AND offer.sent_is_active IS FALSE AS is_stopgap,
         offer.failure_count + 1 >= ${QUARANTINE_FAILURES} AS is_hopeless,
         -- Read before our word for it: what was shown on and is off now was switched off in between.
         NOT seen.is_active AND offer.observed_is_active AND offer.desired_is_active AND offer.deactivated_at IS NULL
           AND coalesce(offer.stop_sent_at < $8::timestamptz - make_interval(secs => $13::integer), true)
           AS is_switched_off,
         offer.sent_at < $8 AND sent.is_pending
           -- A field that the listing leaves out cannot contradict what was sent.
           AND coalesce(seen.visibility = 'business' OR offer.sent_price_cents = seen.retail, true)
           AND coalesce(seen.visibility = 'retail' OR offer.sent_business_price_cents = seen.business, true)
           AND coalesce(offer.sent_size = seen.size, true)
           AND coalesce(offer.sent_is_active = seen.is_active, true) AS is_confirmed,
         NOT sent.is_pending AND coalesce(offer.sent_at < $8, true) AND seen.is_active = offer.desired_is_active
           AND coalesce(seen.size, offer.observed_size) = offer.desired_size
           AND (NOT offer.desired_is_active
             OR (seen.visibility = 'business'
                 OR coalesce(seen.retail, offer.observed_retail_price_cents) IS NOT DISTINCT FROM offer.desired_price_cents)
               AND (seen.visibility = 'retail'
                 OR coalesce(seen.business, offer.observed_business_price_cents)
                   IS NOT DISTINCT FROM offer.desired_business_price_cents)) AS is_right
       FROM seen JOIN offers offer ON offer.g2a_offer_id = seen.id,
         LATERAL (SELECT NOT (${NOTHING_SENT}) AS is_pending) sent
     ), settled AS (
       SELECT *, coalesce(is_confirmed AND NOT is_stopgap OR is_right, false) AS is_well FROM judged
     ), updated AS (
       UPDATE offers offer SET
         observed_retail_price_cents = coalesce(judged.retail,
           CASE WHEN is_confirmed AND judged.visibility <> 'business' THEN sent_price_cents END, observed_retail_price_cents),
         observed_business_price_cents = coalesce(judged.business,
           CASE WHEN is_confirmed AND judged.visibility <> 'retail' THEN sent_business_price_cents END, observed_business_price_cents),
         observed_size = coalesce(judged.size, CASE WHEN is_confirmed THEN sent_size END, observed_size),
         observed_is_active = judged.is_active, observed_visibility = judged.visibility,
         observed_min_price_cents = CASE WHEN tells_limit THEN judged.min_price ELSE observed_min_price_cents END,
         observed_max_price_cents = CASE WHEN tells_limit THEN judged.max_price ELSE observed_max_price_cents END,
         observed_at = $8,
         sent_at = CASE WHEN is_confirmed OR is_timed_out THEN NULL ELSE sent_at END,
         sent_price_cents = CASE WHEN is_confirmed OR is_timed_out THEN NULL ELSE sent_price_cents END,
         sent_business_price_cents = CASE WHEN is_confirmed OR is_timed_out THEN NULL ELSE sent_business_price_cents END,
         sent_lowest_price_cents = CASE WHEN is_confirmed OR is_timed_out OR judged_sent_at IS NULL THEN NULL
           ELSE sent_lowest_price_cents END,
         sent_size = CASE WHEN is_confirmed OR is_timed_out THEN NULL ELSE sent_size END,
         sent_is_active = CASE WHEN is_confirmed OR is_timed_out THEN NULL ELSE sent_is_active END,
         stop_sent_at = CASE WHEN judged.is_active
             AND stop_sent_at > $8::timestamptz - make_interval(secs => $13::integer)
             -- Seen on again by our own word, and not only late: whatever switches it off now is not that stop.
             AND (is_confirmed AND sent_is_active AND stop_sent_at < $8::timestamptz - make_interval(secs => $14::integer))
               IS NOT TRUE THEN stop_sent_at END,
         stop_job_id = CASE WHEN is_confirmed OR is_timed_out THEN NULL ELSE stop_job_id END,
         stop_job_due_at = CASE WHEN is_confirmed OR is_timed_out THEN NULL ELSE stop_job_due_at END,
         deactivated_at = CASE WHEN is_switched_off THEN $8 ELSE deactivated_at END,
         deactivation_reason = CASE WHEN is_switched_off THEN 'switched_off_at_g2a' ELSE deactivation_reason END,
         deactivation_message = CASE WHEN is_switched_off THEN 'shown off, though we did not switch it off'
           ELSE deactivation_message END,
         quarantined_at = CASE WHEN is_well THEN NULL
           WHEN is_timed_out AND is_pending AND is_hopeless THEN coalesce(quarantined_at, now()) ELSE quarantined_at END,
         failure_count = CASE WHEN is_well THEN 0 WHEN is_timed_out AND is_pending THEN failure_count + 1
           ELSE failure_count END,
         retry_at = CASE WHEN is_well THEN NULL
           WHEN is_timed_out AND is_pending AND is_hopeless AND desired_is_active THEN now() + interval '1 hour'
           ELSE retry_at END,
         last_error = CASE WHEN is_well THEN NULL
           WHEN is_timed_out AND is_pending THEN '${NOT_SHOWN}' ELSE last_error END
       -- The publisher works at the same time: what it has sent since the judgment is for the next listing to judge.
       FROM settled AS judged WHERE offer.g2a_offer_id = judged.id AND offer.observed_at <= $8
         AND offer.sent_at IS NOT DISTINCT FROM judged.judged_sent_at
       RETURNING offer.*, is_switched_off, is_well AND had_failed AS is_recovered,
         is_timed_out AND is_pending AND NOT is_confirmed AS is_unconfirmed
     ), kept AS (
       ${keepShownPrices('updated')}
     ), audited AS (
       INSERT INTO audit_log (actor, action, subject_type, subject_id, details)
       SELECT 'sync', 'offer.found', 'offer', g2a_offer_id, jsonb_build_object('g2aProductId', g2a_product_id) FROM found
       UNION ALL
       SELECT 'sync', 'offer.switched_off_at_g2a', 'offer', g2a_offer_id,
         jsonb_build_object('g2aProductId', g2a_product_id) FROM updated WHERE is_switched_off
     )
     SELECT g2a_offer_id AS "g2aOfferId", g2a_product_id AS "g2aProductId", failure_count AS "failureCount",
       quarantined_at IS NOT NULL AS "isQuarantined", last_error AS "lastError", is_recovered AS "isRecovered",
       is_recovered OR is_unconfirmed AS "isTrouble", is_switched_off AS "isSwitchedOff", false AS "isFound"
     FROM updated WHERE is_recovered OR is_unconfirmed OR is_switched_off
     UNION ALL
     SELECT g2a_offer_id, g2a_product_id, 0, false, NULL, false, false, false, true FROM found`,
    [
      offers.map((offer) => offer.g2aOfferId),
      offers.map((offer) => offer.g2aProductId),
      offers.map((offer) => offer.retailPriceCents),
      offers.map((offer) => offer.businessPriceCents),
      offers.map((offer) => offer.size),
      offers.map((offer) => offer.isActive),
      offers.map((offer) => offer.visibility),
      seenAt,
      CONFIRMATION_TIMEOUT_SECONDS,
      offers.map((offer) => offer.priceLimit?.minPrice ?? null),
      offers.map((offer) => offer.priceLimit?.maxPrice ?? null),
      offers.map((offer) => offer.priceLimit !== null),
      STOP_ARRIVES_WITHIN_SECONDS,
      LISTING_LAG_SECONDS,
    ],
  );
  return {
    troubles: rows.filter((row) => row.isTrouble),
    switchedOff: rows.filter((row) => row.isSwitchedOff),
    found: rows.filter((row) => row.isFound).map((row) => row.g2aOfferId),
  };
}

/**
 * Changes that wait for the listing to confirm them: how many, how many of them were sent since then, whether stops are among them, and when (database time) the
 * oldest of the last two minutes was: what is older is asked for by its id. A stop that a job tells about is among them only after a
 * minute: that job may never end.
 */
export async function unconfirmedOffers(
  manager: EntityManager,
  since: Date,
): Promise<{
  readonly count: number;
  readonly newCount: number;
  readonly hasStops: boolean;
  readonly oldest: Date | null;
}> {
  const [row] = await manager.query<[{ count: number; newCount: number; hasStops: boolean; oldest: Date | null }]>(
    `SELECT count(*) AS count, count(*) FILTER (WHERE sent_at > $1) AS "newCount",
       coalesce(bool_or(sent_is_active IS FALSE), false) AS "hasStops",
       min(sent_at) FILTER (WHERE sent_at > now() - interval '${CONFIRMATION_TIMEOUT_SECONDS} seconds') AS oldest
     FROM offers WHERE sent_at IS NOT NULL AND (stop_job_id IS NULL OR sent_at < now() - interval '1 minute')`,
    [since],
  );
  return row;
}

/** An offer of ours at G2A. */
export interface FollowedOffer {
  readonly g2aOfferId: string;
  readonly g2aProductId: number;
}

/**
 * Offers with a change that was sent CONFIRMATION_TIMEOUT_SECONDS before what has changed was read last, and that was not seen there:
 * stops first, then the oldest.
 * @param readAt database time before the listing was asked for.
 */
export async function unshownOffers(manager: EntityManager, readAt: Date, limit: number): Promise<FollowedOffer[]> {
  return manager.query<FollowedOffer[]>(
    `SELECT g2a_offer_id AS "g2aOfferId", g2a_product_id AS "g2aProductId" FROM offers
     WHERE sent_at < $1::timestamptz - interval '${CONFIRMATION_TIMEOUT_SECONDS} seconds'
     ORDER BY sent_is_active IS FALSE DESC, sent_at LIMIT $2`,
    [readAt, limit],
  );
}

/**
 * Neither a listing nor the offer itself tells whether what was sent has happened: it counts as a failure, and the difference will be
 * published again. A price that may yet show stays in `sent_lowest_price_cents` until the offer is seen.
 * @returns the offer with its failure; null where nothing was on its way any more.
 */
export async function giveUpUnshownChange(
  manager: EntityManager,
  g2aOfferId: string,
  readAt: Date,
): Promise<OfferTrouble | null> {
  const rows = await manager.query<OfferTrouble[]>(
    `WITH late AS (
       SELECT g2a_offer_id AS id, failure_count + 1 >= ${QUARANTINE_FAILURES} AS is_hopeless, NOT (${NOTHING_SENT}) AS is_pending
       FROM offers offer
       WHERE g2a_offer_id = $1 AND sent_at < $2::timestamptz - interval '${CONFIRMATION_TIMEOUT_SECONDS} seconds'
       FOR UPDATE
     ), given_up AS (
       UPDATE offers offer SET sent_at = NULL, sent_price_cents = NULL, sent_business_price_cents = NULL, sent_size = NULL,
         sent_is_active = NULL, stop_job_id = NULL, stop_job_due_at = NULL,
         -- Whatever was sent before that stop may be what is shown.
         observed_is_active = observed_is_active OR sent_is_active IS FALSE,
         observed_size = CASE WHEN sent_is_active IS FALSE THEN NULL ELSE observed_size END,
         failure_count = failure_count + is_pending::integer,
         last_error = CASE WHEN is_pending THEN '${NOT_SHOWN}' ELSE last_error END,
         quarantined_at = CASE WHEN is_pending AND is_hopeless THEN coalesce(quarantined_at, now()) ELSE quarantined_at END,
         retry_at = CASE WHEN is_pending AND is_hopeless AND desired_is_active THEN now() + interval '1 hour'
           ELSE retry_at END
       FROM late WHERE offer.g2a_offer_id = late.id
       RETURNING offer.*, is_pending
     ), kept AS (${keepShownPrices('given_up')})
     SELECT g2a_offer_id AS "g2aOfferId", failure_count AS "failureCount", quarantined_at IS NOT NULL AS "isQuarantined",
       last_error AS "lastError", false AS "isRecovered"
     FROM given_up WHERE is_pending`,
    [g2aOfferId, readAt],
  );
  return rows[0] ?? null;
}

type NewsRow = OfferTrouble & { g2aProductId: number; isTrouble: boolean; isSwitchedOff: boolean; isFound: boolean };

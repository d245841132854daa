import type { EntityManager } from 'typeorm';
import type { Cents } from '../money/cents.js';
import type { DesiredState } from './offers.queries.js';

/**
 * Why a change is urgent, most urgent first:
 * - `stop_selling`: what is shown cannot be honored; or loses money, and G2A does not take another price;
 * - `losing_price`: a sale at a price that is shown costs more than it leaves, or nobody knows that price;
 * - `shrinking_stock`: more is shown than there is, of which few are left: they may be sold out any moment;
 * - `back_in_stock`: it could be sold, and is not;
 * - `other`: a price that may be lower, or higher than it needs to be at least; a stock so low that a buyer notices;
 * - `stock_cosmetics`: a size that no buyer notices.
 */
export const PUBLISH_RISKS = [
  'stop_selling',
  'losing_price',
  'shrinking_stock',
  'back_in_stock',
  'other',
  'stock_cosmetics',
] as const;
export type PublishRisk = (typeof PUBLISH_RISKS)[number];

/** An offer whose desired state differs from what G2A shows, or will show once a sent change has arrived. */
export interface OfferToPublish {
  readonly g2aOfferId: string;
  readonly visibility: 'all' | 'retail' | 'business';
  readonly risk: PublishRisk;
  readonly desired: DesiredState;
  /** Sent if a change is under way, else observed. Null: unknown. */
  readonly shown: {
    readonly retailPriceCents: Cents | null;
    readonly businessPriceCents: Cents | null;
    readonly size: number | null;
    readonly isActive: boolean;
  };
}

/** Failures in a row after which an offer that loses money is switched off: the next price may be refused as well. */
const FAILURES_BEFORE_STOP = 2;

/** The longest gap between two tries where money is at risk. */
const URGENT_GAP_SECONDS = 30;

/**
 * Part of a query of offers: whether a sale at the price that is shown costs more than it leaves, or nobody knows that price.
 * @param shown columns that tell what G2A shows.
 */
const losesMoney = (shown: Readonly<Record<'retail' | 'business' | 'size' | 'isActive', string>>): string => `(
  desired_is_active AND ${shown.isActive} AND ${shown.size} IS DISTINCT FROM 0 AND (
    observed_visibility <> 'business'
      AND coalesce(${shown.retail} < coalesce(desired_break_even_cents, desired_price_cents), true)
    OR observed_visibility <> 'retail'
      AND coalesce(${shown.business} < coalesce(desired_business_break_even_cents, desired_business_price_cents), true)))`;

/**
 * Part of a query of offers: whether a stop comes after those of which somebody knows that they cannot be honored; what a whole shop may
 * need at once, and what G2A shows as off already.
 */
const MAY_WAIT = `NOT desired_is_active
  AND (NOT is_active OR desired_reason IN ('stale', 'no_supplier_data', 'paused', 'service_disabled'))`;

/**
 * Offers that differ and may be tried now, most urgent first. No back-off keeps a price that loses money on sale for longer than
 * URGENT_GAP_SECONDS. What somebody else switched off is left alone for as long as it is shown off.
 * @param lowStock sizes below it are noticed.
 * @param except offers that are being sent.
 * @param isDoubtful whether G2A may be in trouble: then those that have not failed by themselves come first.
 */
export async function offersToPublish(
  manager: EntityManager,
  {
    lowStock,
    except,
    limit,
    isDoubtful,
  }: { lowStock: number; except: readonly string[]; limit: number; isDoubtful: boolean },
): Promise<OfferToPublish[]> {
  return manager.query<OfferToPublish[]>(
    `SELECT g2a_offer_id AS "g2aOfferId", observed_visibility AS visibility, ($4::text[])[risk] AS risk,
       jsonb_build_object('priceCents', desired_price_cents, 'businessPriceCents', desired_business_price_cents,
         'breakEvenCents', desired_break_even_cents, 'businessBreakEvenCents', desired_business_break_even_cents,
         'size', desired_size, 'isActive', desired_is_active,
         'reason', desired_reason, 'costCents', desired_cost_cents, 'incomeCents', desired_income_cents,
         'cwsProductId', desired_cws_product_id) AS desired,
       jsonb_build_object('retailPriceCents', retail, 'businessPriceCents', business, 'size', size, 'isActive', is_active)
         AS shown
     FROM (
       SELECT *,
         CASE
           WHEN NOT desired_is_active OR is_losing AND failure_count >= ${FAILURES_BEFORE_STOP} THEN 1
           WHEN is_losing THEN 2
           WHEN is_active AND size > desired_size AND desired_size < $1 THEN 3
           WHEN NOT is_active OR size = 0 THEN 4
           WHEN is_repriced OR least(size, desired_size) < $1 OR size IS NULL THEN 5
           ELSE 6
         END AS risk,
         ${MAY_WAIT} AS may_wait
       FROM (
         SELECT offer.*, shown.*,
           ${losesMoney({ retail: 'retail', business: 'business', size: 'size', isActive: 'is_active' })} AS is_losing,
           has_retail AND retail IS DISTINCT FROM desired_price_cents
             OR has_business AND business IS DISTINCT FROM desired_business_price_cents AS is_repriced
         FROM offers offer, LATERAL (SELECT
           coalesce(sent_price_cents, observed_retail_price_cents) AS retail,
           coalesce(sent_business_price_cents, observed_business_price_cents) AS business,
           coalesce(sent_size, observed_size) AS size,
           coalesce(sent_is_active, observed_is_active) AS is_active,
           observed_visibility <> 'business' AS has_retail,
           observed_visibility <> 'retail' AS has_business) shown
         WHERE g2a_offer_id <> ALL ($2)
           -- Switched off by somebody else just now: not priced anew yet.
           AND (deactivated_at IS NULL OR NOT desired_is_active)
       ) offer
       WHERE (is_active <> desired_is_active
         OR size IS DISTINCT FROM desired_size AND desired_reason <> 'switched_off_at_g2a'
         OR desired_is_active AND is_repriced)
         AND (retry_at IS NULL OR retry_at <= now()
           OR is_losing AND retry_at > now() + interval '${URGENT_GAP_SECONDS} seconds')
       -- In here: outside, PostgreSQL would build the objects of all that differ before it leaves out most of them.
       ORDER BY $5 AND failure_count > 0, risk, may_wait, g2a_offer_id
       LIMIT $3
     ) offer
     ORDER BY $5 AND failure_count > 0, offer.risk, may_wait, g2a_offer_id`,
    [lowStock, except, limit, PUBLISH_RISKS, isDoubtful],
  );
}

/** Failures in a row of its own after which an offer is quarantined: tried once an hour only. */
export const QUARANTINE_FAILURES = 10;

/**
 * Part of an UPDATE of offers: the time of the next try after one more failure. The gap doubles from 5 s; up to
 * URGENT_GAP_SECONDS where money is at risk, up to 60 s where not only this offer is in trouble, else up to 10 min, and an hour
 * in quarantine.
 */
const nextTry = (condition: Readonly<Record<'isUrgent' | 'isOwn' | 'isQuarantined', string>>): string => `
  now() + make_interval(secs => CASE
    WHEN ${condition.isUrgent} THEN least(5 * 2 ^ least(failure_count, 10), ${URGENT_GAP_SECONDS})
    WHEN NOT ${condition.isOwn} THEN least(5 * 2 ^ least(failure_count, 10), 60)
    WHEN ${condition.isQuarantined} THEN 3600
    ELSE least(5 * 2 ^ least(failure_count, 10), 600) END)`;

/** A change as it is sent to G2A; absent fields are not part of it. */
export interface SentChange {
  readonly retailPriceCents?: Cents;
  readonly businessPriceCents?: Cents;
  readonly size?: number;
  readonly isActive?: boolean;
}

/** An earlier change that G2A accepted and that nobody has seen yet; null: not part of it. */
export interface PendingChange {
  readonly retailPriceCents: Cents | null;
  readonly businessPriceCents: Cents | null;
  readonly size: number | null;
  readonly isActive: boolean | null;
}

/**
 * Notes a change, with its audit row, before it is sent: after a crash the offer counts as sent-and-unconfirmed, which is
 * looked up again, and a reservation made meanwhile already knows the lowest price that may be showing.
 * @returns what was sent before and is not confirmed: that counts again if this one comes to nothing. Null when it must not be sent:
 * something else is desired by now; or somebody has switched the offer off meanwhile, and only a stop does no harm.
 */
export async function recordSending(
  manager: EntityManager,
  { g2aOfferId, desired }: OfferToPublish,
  change: SentChange,
): Promise<PendingChange | null> {
  const rows = await manager.query<PendingChange[]>(
    `WITH before AS (
       SELECT g2a_offer_id AS id, sent_price_cents AS "retailPriceCents", sent_business_price_cents AS "businessPriceCents",
         sent_size AS size, sent_is_active AS "isActive"
       FROM offers WHERE g2a_offer_id = $1 FOR UPDATE
     ), sending AS (
       UPDATE offers SET
         sent_at = clock_timestamp(),
         sent_price_cents = coalesce($2, sent_price_cents),
         sent_business_price_cents = coalesce($3, sent_business_price_cents),
         sent_lowest_price_cents = least(sent_lowest_price_cents, $2, $3),
         sent_size = coalesce($4, sent_size),
         sent_is_active = coalesce($5, sent_is_active),
         stop_sent_at = CASE WHEN NOT $5 THEN clock_timestamp() ELSE stop_sent_at END,
         stop_job_id = CASE WHEN $5 IS NULL THEN stop_job_id END,
         stop_job_due_at = CASE WHEN $5 IS NULL THEN stop_job_due_at END,
         -- Stopped because G2A refuses the right price: it is offered again later.
         retry_at = CASE WHEN NOT $5 AND desired_is_active
           THEN ${nextTry({ isUrgent: 'false', isOwn: 'true', isQuarantined: 'quarantined_at IS NOT NULL' })}
           ELSE retry_at END
       FROM before
       WHERE g2a_offer_id = before.id AND (deactivated_at IS NULL OR NOT $5)
         AND (desired_price_cents, desired_business_price_cents, desired_size, desired_is_active)
           IS NOT DISTINCT FROM ($6::integer, $7::integer, $8::integer, $9::boolean)
       RETURNING desired_reason, desired_cost_cents
     ), audited AS (
       INSERT INTO audit_log (actor, action, subject_type, subject_id, details)
       SELECT 'sync', 'offer.sent', 'offer', $1::text, jsonb_strip_nulls(jsonb_build_object(
         'priceCents', $2::integer, 'businessPriceCents', $3::integer, 'size', $4::integer, 'isActive', $5::boolean,
         'reason', desired_reason, 'costCents', desired_cost_cents))
       FROM sending
     )
     SELECT before."retailPriceCents", before."businessPriceCents", before.size, before."isActive" FROM before, sending`,
    [
      g2aOfferId,
      change.retailPriceCents ?? null,
      change.businessPriceCents ?? null,
      change.size ?? null,
      change.isActive ?? null,
      desired.priceCents,
      desired.businessPriceCents,
      desired.size,
      desired.isActive,
    ],
  );
  return rows[0] ?? null;
}

/** Part of an UPDATE of offers, with `pendingParameters` from $2 on: what was sent before counts again. */
const SENT_AS_BEFORE =
  'sent_price_cents = $2::integer, sent_business_price_cents = $3::integer, sent_size = $4::integer, sent_is_active = $5::boolean';

function pendingParameters({ retailPriceCents, businessPriceCents, size, isActive }: PendingChange) {
  return [retailPriceCents, businessPriceCents, size, isActive];
}

/** G2A had no room for the request: it was not processed, so the offer shows what it would have shown without it. */
export async function recordNotSent(manager: EntityManager, g2aOfferId: string, before: PendingChange): Promise<void> {
  await manager.query(`UPDATE offers SET ${SENT_AS_BEFORE} WHERE g2a_offer_id = $1`, [
    g2aOfferId,
    ...pendingParameters(before),
  ]);
}

/** How an offer's trouble stands, or that it has ended. */
export interface OfferTrouble {
  readonly g2aOfferId: string;
  /** In a row. */
  readonly failureCount: number;
  readonly isQuarantined: boolean;
  readonly lastError: string | null;
  readonly isRecovered: boolean;
}

/**
 * G2A did not take the change, or nobody knows: tried again after a growing gap. What is showing is what an earlier change that was
 * accepted says, else what was last observed; a price that may have arrived stays in `sent_lowest_price_cents` until the next listing.
 * @param before as recordSending returned it.
 * @param isOwn whether it is this offer that fails, and not G2A as a whole: only that leads into quarantine.
 * @returns null when the offer is not known any more.
 */
export async function recordFailure(
  manager: EntityManager,
  g2aOfferId: string,
  before: PendingChange,
  { error, isOwn }: { error: string; isOwn: boolean },
): Promise<OfferTrouble | null> {
  const isQuarantined = `(quarantined_at IS NOT NULL OR $7 AND failure_count + 1 >= ${QUARANTINE_FAILURES})`;
  const isLosing = losesMoney({
    retail: 'coalesce($2, observed_retail_price_cents)',
    business: 'coalesce($3, observed_business_price_cents)',
    size: 'coalesce($4, observed_size)',
    isActive: 'coalesce($5, observed_is_active)',
  });
  const rows = await manager.query<OfferTrouble[]>(
    `WITH failed AS (
       UPDATE offers SET
         failure_count = failure_count + 1,
         quarantined_at = CASE WHEN ${isQuarantined} THEN coalesce(quarantined_at, now()) END,
         retry_at = ${nextTry({ isUrgent: `NOT desired_is_active OR ${isLosing}`, isOwn: '$7', isQuarantined })},
         last_error = left($6, 500),
         ${SENT_AS_BEFORE}
       WHERE g2a_offer_id = $1
       RETURNING failure_count, quarantined_at
     ), audited AS (
       INSERT INTO audit_log (actor, action, subject_type, subject_id, details)
       SELECT 'sync', 'offer.refused', 'offer', $1::text, jsonb_build_object('error', left($6, 500)) FROM failed
     )
     SELECT $1::text AS "g2aOfferId", failure_count AS "failureCount", quarantined_at IS NOT NULL AS "isQuarantined",
       left($6, 500) AS "lastError", false AS "isRecovered"
     FROM failed`,
    [g2aOfferId, ...pendingParameters(before), error, isOwn],
  );
  return rows[0] ?? null;
}

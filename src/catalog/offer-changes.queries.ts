import type { EntityManager } from 'typeorm';
import type { Cents } from '../money/cents.js';
import type { DesiredState } from './offers.queries.js';

/** An offer whose desired state may differ from what G2A shows, or will show once a sent change has arrived. */
export interface OfferToPublish {
  readonly g2aOfferId: string;
  readonly visibility: 'all' | 'retail' | 'business';
  readonly desired: DesiredState;
  /** Sent if a change is under way, else observed. Null: unknown. */
  readonly shown: {
    readonly retailPriceCents: Cents | null;
    readonly businessPriceCents: Cents | null;
    readonly size: number | null;
    readonly isActive: boolean;
  };
}

/** Offers that differ and may be tried now. The exact difference is the publisher's to judge. */
export async function offersToPublish(manager: EntityManager): Promise<OfferToPublish[]> {
  return manager.query<OfferToPublish[]>(
    `SELECT * FROM (
       SELECT g2a_offer_id AS "g2aOfferId", observed_visibility AS visibility,
         jsonb_build_object('priceCents', desired_price_cents, 'businessPriceCents', desired_business_price_cents,
           'size', desired_size, 'isActive', desired_is_active,
           'reason', desired_reason, 'costCents', desired_cost_cents, 'incomeCents', desired_income_cents,
           'cwsProductId', desired_cws_product_id) AS desired,
         jsonb_build_object(
           'retailPriceCents', coalesce(sent_price_cents, observed_retail_price_cents),
           'businessPriceCents', coalesce(sent_business_price_cents, observed_business_price_cents),
           'size', coalesce(sent_size, observed_size),
           'isActive', coalesce(sent_is_active, observed_is_active)) AS shown,
         coalesce(sent_price_cents, observed_retail_price_cents) AS retail,
         coalesce(sent_business_price_cents, observed_business_price_cents) AS business,
         coalesce(sent_size, observed_size) AS size,
         coalesce(sent_is_active, observed_is_active) AS is_active,
         desired_price_cents, desired_business_price_cents, desired_size, desired_is_active, observed_visibility
       FROM offers WHERE retry_at IS NULL OR retry_at <= now()
     ) offer
     WHERE is_active <> desired_is_active
       OR size IS DISTINCT FROM desired_size
       OR desired_is_active AND (
         observed_visibility <> 'business' AND retail IS DISTINCT FROM desired_price_cents
         OR observed_visibility <> 'retail' AND business IS DISTINCT FROM desired_business_price_cents)`,
  );
}

/** A change as it was sent to G2A; absent fields were not part of it. */
export interface SentChange {
  readonly retailPriceCents?: Cents;
  readonly businessPriceCents?: Cents;
  readonly size?: number;
  readonly isActive?: boolean;
}

/**
 * Notes a change, with its audit row, before it is sent: after a crash the offer counts as sent-and-unconfirmed, which is
 * looked up again, and a reservation made meanwhile already knows the lowest price that may be showing.
 * @returns false when it must not be sent: G2A has switched the offer off meanwhile, and only a stop does no harm.
 */
export async function recordSending(manager: EntityManager, g2aOfferId: string, change: SentChange): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    `WITH sending AS (
       UPDATE offers SET
         sent_at = clock_timestamp(),
         sent_price_cents = coalesce($2, sent_price_cents),
         sent_business_price_cents = coalesce($3, sent_business_price_cents),
         sent_lowest_price_cents = least(sent_lowest_price_cents, $2, $3),
         sent_size = coalesce($4, sent_size),
         sent_is_active = coalesce($5, sent_is_active)
       WHERE g2a_offer_id = $1 AND (deactivated_at IS NULL OR NOT $5)
       RETURNING desired_reason, desired_cost_cents
     )
     INSERT INTO audit_log (actor, action, subject_type, subject_id, details)
     SELECT 'sync', 'offer.sent', 'offer', $1::text, jsonb_strip_nulls(jsonb_build_object(
       'priceCents', $2::integer, 'businessPriceCents', $3::integer, 'size', $4::integer, 'isActive', $5::boolean,
       'reason', desired_reason, 'costCents', desired_cost_cents))
     FROM sending
     RETURNING id`,
    [
      g2aOfferId,
      change.retailPriceCents ?? null,
      change.businessPriceCents ?? null,
      change.size ?? null,
      change.isActive ?? null,
    ],
  );
  return rows.length > 0;
}

/** G2A had no room for the request: it was not processed, so the offer shows what was last observed. */
export async function recordNotSent(manager: EntityManager, g2aOfferId: string): Promise<void> {
  await manager.query(
    `UPDATE offers SET sent_price_cents = NULL, sent_business_price_cents = NULL, sent_size = NULL, sent_is_active = NULL
     WHERE g2a_offer_id = $1`,
    [g2aOfferId],
  );
}

/**
 * G2A did not take the change, or nobody knows: tried again after a gap that doubles from 5 s to 10 min. What is showing is
 * what was last observed; a price that may have arrived stays in `sent_lowest_price_cents` until the next listing.
 * @returns how often it has failed in a row.
 */
export async function recordFailure(manager: EntityManager, g2aOfferId: string, error: string): Promise<number> {
  const rows = await manager.query<{ failure_count: number }[]>(
    `WITH failed AS (
       UPDATE offers SET
         failure_count = failure_count + 1,
         retry_at = now() + make_interval(secs => least(5 * 2 ^ least(failure_count, 10), 600)),
         last_error = left($2, 500),
         sent_price_cents = NULL, sent_business_price_cents = NULL, sent_size = NULL, sent_is_active = NULL
       WHERE g2a_offer_id = $1
       RETURNING failure_count
     ), audited AS (
       INSERT INTO audit_log (actor, action, subject_type, subject_id, details)
       SELECT 'sync', 'offer.refused', 'offer', $1::text, jsonb_build_object('error', left($2, 500)) FROM failed
     )
     SELECT failure_count FROM failed`,
    [g2aOfferId, error],
  );
  return rows[0]?.failure_count ?? 0;
}

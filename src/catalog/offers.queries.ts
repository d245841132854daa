import type { EntityManager } from 'typeorm';
import type { Cents } from '../money/cents.js';
import type { PriceBounds } from '../pricing/pricing-terms.js';
import {
  collectMappings,
  MAPPING_STOCK_COLUMNS,
  MAPPING_STOCK_JOIN,
  MAPPING_STOCK_ORDER,
  type MappingStock,
  type MappingStockRow,
} from './mapping-stock.queries.js';
import { simulationsByProduct, type StoredSimulation } from './price-simulations.queries.js';
import { keepPrices, SHOWS_DESIRED_PRICE } from './price-history.queries.js';

/** What an offer should show. */
export interface DesiredState {
  /** What consumers pay, or companies where only they see the offer; null when not for sale. */
  readonly priceCents: Cents | null;
  /** What companies pay; the same as `priceCents` for an offer that has one price only. */
  readonly businessPriceCents: Cents | null;
  readonly size: number;
  readonly isActive: boolean;
  readonly reason: string;
  readonly costCents: Cents | null;
  /** What a sale leaves after fees; null when not for sale. */
  readonly incomeCents: Cents | null;
  /** The supplier that the cost is of; null when not for sale. */
  readonly cwsProductId: string | null;
}

/** An offer with its desired state and, unless the mapping was deleted, its mapping. */
export interface OfferToPrice {
  readonly g2aOfferId: string;
  readonly g2aProductId: number;
  /** By G2A, and not cleared yet: see offer-deactivations.queries.ts. */
  readonly isDeactivated: boolean;
  readonly visibility: 'all' | 'retail' | 'business';
  /** G2A's own limits for the price, in EUR. */
  readonly marketplaceBounds: PriceBounds;
  /** What G2A said that sales earn, ascending by price. */
  readonly simulations: readonly StoredSimulation[];
  readonly desired: DesiredState;
  readonly mapping: MappingStock | null;
}

interface OfferToPriceRow extends MappingStockRow {
  g2aOfferId: string;
  offerProductId: number;
  isDeactivated: boolean;
  visibility: 'all' | 'retail' | 'business';
  minPrice: Cents | null;
  maxPrice: Cents | null;
  desired: DesiredState;
}

/** Every offer with what its price depends on, as of this statement. */
export async function offersToPrice(manager: EntityManager): Promise<OfferToPrice[]> {
  return selectOffersToPrice(manager, null);
}

/** The same of the offers of these products; a product without an offer is not among them. */
export async function offersOfProducts(
  manager: EntityManager,
  g2aProductIds: readonly number[],
): Promise<OfferToPrice[]> {
  return selectOffersToPrice(manager, g2aProductIds);
}

async function selectOffersToPrice(
  manager: EntityManager,
  g2aProductIds: readonly number[] | null,
): Promise<OfferToPrice[]> {
  const simulations = await simulationsByProduct(manager, g2aProductIds);
  const rows = await manager.query<OfferToPriceRow[]>(
    `SELECT offer.g2a_offer_id AS "g2aOfferId", offer.g2a_product_id AS "offerProductId",
       offer.deactivated_at IS NOT NULL AS "isDeactivated", offer.observed_visibility AS visibility,
       offer.observed_min_price_cents AS "minPrice", offer.observed_max_price_cents AS "maxPrice",
       jsonb_build_object('priceCents', offer.desired_price_cents,
         'businessPriceCents', offer.desired_business_price_cents, 'size', offer.desired_size,
         'isActive', offer.desired_is_active, 'reason', offer.desired_reason,
         'costCents', offer.desired_cost_cents, 'incomeCents', offer.desired_income_cents,
         'cwsProductId', offer.desired_cws_product_id) AS desired,
       ${MAPPING_STOCK_COLUMNS}
     FROM offers offer
     LEFT JOIN product_mappings mapping ON mapping.g2a_product_id = offer.g2a_product_id
     ${MAPPING_STOCK_JOIN}
     WHERE $1::bigint[] IS NULL OR offer.g2a_product_id = ANY ($1)
     ORDER BY ${MAPPING_STOCK_ORDER}`,
    [g2aProductIds],
  );
  const toPrice = (row: OfferToPriceRow, mapping: MappingStock | null): OfferToPrice => ({
    g2aOfferId: row.g2aOfferId,
    g2aProductId: row.offerProductId,
    isDeactivated: row.isDeactivated,
    visibility: row.visibility,
    marketplaceBounds: { minPrice: row.minPrice, maxPrice: row.maxPrice },
    simulations: simulations.get(row.offerProductId) ?? [],
    desired: row.desired,
    mapping,
  });
  const isMapped = (row: OfferToPriceRow) => (row.g2aProductId as number | null) !== null;
  return [
    ...collectMappings(rows.filter(isMapped)).map(({ row, mapping }) => toPrice(row, mapping)),
    ...rows.filter((row) => !isMapped(row)).map((row) => toPrice(row, null)),
  ];
}

/** Writes new desired states, with their audit rows, in one statement. Rows that are already so are left alone. */
export async function writeDesiredStates(
  manager: EntityManager,
  states: readonly { g2aOfferId: string; desired: DesiredState }[],
): Promise<void> {
  if (states.length === 0) return;
  await manager.query(
    `WITH written AS (
       UPDATE offers offer SET
         desired_price_cents = wanted.price, desired_business_price_cents = wanted.business,
         desired_size = wanted.size, desired_is_active = wanted.is_active,
         desired_reason = wanted.reason, desired_cost_cents = wanted.cost, desired_income_cents = wanted.income,
         desired_cws_product_id = wanted.supplier,
         -- A back-off was about the old change; a stop must never wait for it.
         retry_at = NULL
       FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::boolean[], $5::text[], $6::integer[],
           $7::integer[], $8::uuid[], $9::integer[])
         AS wanted (id, price, size, is_active, reason, cost, income, supplier, business)
       WHERE offer.g2a_offer_id = wanted.id
         AND (offer.desired_price_cents, offer.desired_size, offer.desired_is_active, offer.desired_reason,
              offer.desired_cost_cents, offer.desired_income_cents, offer.desired_cws_product_id,
              offer.desired_business_price_cents)
           IS DISTINCT FROM (wanted.price, wanted.size, wanted.is_active, wanted.reason, wanted.cost, wanted.income,
             wanted.supplier, wanted.business)
       RETURNING offer.*
     ), kept AS (${keepPrices('written', SHOWS_DESIRED_PRICE)})
     INSERT INTO audit_log (actor, action, subject_type, subject_id, details)
     SELECT 'sync', 'offer.desired_changed', 'offer', g2a_offer_id,
       jsonb_build_object('priceCents', desired_price_cents, 'businessPriceCents', desired_business_price_cents,
         'size', desired_size, 'isActive', desired_is_active, 'reason', desired_reason, 'costCents', desired_cost_cents, 'incomeCents', desired_income_cents,
         'cwsProductId', desired_cws_product_id)
     FROM written`,
    [
      states.map((state) => state.g2aOfferId),
      states.map((state) => state.desired.priceCents),
      states.map((state) => state.desired.size),
      states.map((state) => state.desired.isActive),
      states.map((state) => state.desired.reason),
      states.map((state) => state.desired.costCents),
      states.map((state) => state.desired.incomeCents),
      states.map((state) => state.desired.cwsProductId),
      states.map((state) => state.desired.businessPriceCents),
    ],
  );
}

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
       RETURNING offers.*
     ), kept AS (${keepPrices('sending', 'coalesce($2::integer, $3::integer) IS NOT NULL')})
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

/** Removes an offer from our care: gone at G2A, or switched off after its mapping was deleted. */
export async function forgetOffer(manager: EntityManager, g2aOfferId: string, reason: string): Promise<void> {
  await manager.query(
    `WITH forgotten AS (DELETE FROM offers WHERE g2a_offer_id = $1 RETURNING g2a_product_id)
     INSERT INTO audit_log (actor, action, subject_type, subject_id, details)
     SELECT 'sync', 'offer.forgotten', 'offer', $1::text,
       jsonb_build_object('g2aProductId', g2a_product_id, 'reason', $2::text)
     FROM forgotten`,
    [g2aOfferId, reason],
  );
}

/** Lowest price in cents at which G2A may be selling `offer`: seen, or sent and perhaps showing; null when none is known. */
export const LOWEST_SHOWN_PRICE = `
  least(
    CASE WHEN offer.observed_visibility <> 'business' THEN offer.observed_retail_price_cents END,
    CASE WHEN offer.observed_visibility <> 'retail' THEN offer.observed_business_price_cents END,
    offer.sent_lowest_price_cents)`;

/**
 * The G2A products that are ours to look at, each with the id of its offer if that is known: every mapped product, and
 * offers that have outlived their mapping.
 */
export async function mappedOfferIds(manager: EntityManager): Promise<Map<number, string | null>> {
  const rows = await manager.query<{ product: number; offer: string | null }[]>(
    `SELECT coalesce(mapping.g2a_product_id, offer.g2a_product_id) AS product, offer.g2a_offer_id AS offer
     FROM product_mappings mapping
     FULL JOIN offers offer ON offer.g2a_product_id = mapping.g2a_product_id`,
  );
  return new Map(rows.map((row) => [row.product, row.offer]));
}

/** Mapped products whose offer is not known. */
export async function productsWithoutOffer(manager: EntityManager): Promise<number[]> {
  const rows = await manager.query<{ product: number }[]>(
    `SELECT g2a_product_id AS product FROM product_mappings mapping
     WHERE NOT EXISTS (SELECT 1 FROM offers WHERE g2a_product_id = mapping.g2a_product_id)`,
  );
  return rows.map((row) => row.product);
}

/** When the oldest change was sent that is not confirmed yet (database time), or null. */
export async function oldestUnconfirmed(manager: EntityManager): Promise<Date | null> {
  const [row] = await manager.query<[{ sent_at: Date | null }]>('SELECT min(sent_at) AS sent_at FROM offers');
  return row.sent_at;
}

/** Offers that were switched off after their mapping was deleted, and are confirmed to be off. */
export async function abandonedOffers(manager: EntityManager): Promise<string[]> {
  const rows = await manager.query<{ g2a_offer_id: string }[]>(
    `SELECT g2a_offer_id FROM offers
     WHERE desired_reason = 'unmapped' AND sent_at IS NULL AND NOT observed_is_active AND observed_size = 0`,
  );
  return rows.map((row) => row.g2a_offer_id);
}

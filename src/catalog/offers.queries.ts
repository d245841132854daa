import type { EntityManager } from 'typeorm';
import type { Cents } from '../money/cents.js';
import type { PriceBounds } from '../pricing/pricing-terms.js';
import {
  collectMappings,
  MAPPING_STOCK_COLUMNS,
  MAPPING_STOCK_JOIN,
  type MappingStock,
  type MappingStockRow,
} from './mapping-stock.queries.js';
import { simulationsByProduct, type StoredSimulation } from './price-simulations.queries.js';
import type { DeactivationReason } from './offer-deactivations.queries.js';
import { keepShownPrices } from './price-history.queries.js';
import { heldPieces, type LastPricing } from './repricings.queries.js';

/** What an offer should show. */
export interface DesiredState {
  /** What consumers pay, or companies where only they see the offer; null when not for sale. */
  readonly priceCents: Cents | null;
  /** What companies pay; the same as `priceCents` for an offer that has one price only. */
  readonly businessPriceCents: Cents | null;
  /** A sale below it to whoever pays `priceCents` loses money; null when not for sale. */
  readonly breakEvenCents: Cents | null;
  /** The same of `businessPriceCents`. */
  readonly businessBreakEvenCents: Cents | null;
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
  /** Why it stays off: somebody else switched it off, and nobody has cleared that yet; see offer-deactivations.queries.ts. */
  readonly deactivationReason: DeactivationReason | null;
  readonly visibility: 'all' | 'retail' | 'business';
  /** G2A's own limits for the price, in EUR. */
  readonly marketplaceBounds: PriceBounds;
  /** What G2A said that sales earn, ascending by price. */
  readonly simulations: readonly StoredSimulation[];
  readonly desired: DesiredState;
  readonly lastPricing: LastPricing;
  /** What is spoken for at its suppliers; see heldPieces(). */
  readonly heldPieces: string | null;
  /** When the next of its suppliers is released, epoch milliseconds; null: no release lies ahead. */
  readonly nextReleaseAt: number | null;
  readonly mapping: MappingStock | null;
}

interface OfferToPriceRow extends MappingStockRow {
  g2aOfferId: string;
  offerProductId: number;
  deactivationReason: DeactivationReason | null;
  visibility: 'all' | 'retail' | 'business';
  minPrice: Cents | null;
  maxPrice: Cents | null;
  desired: DesiredState;
  repriceAt: number;
  pricedHolds: string | null;
  staleSuppliers: number;
  sizeHeldSince: number | null;
  held: number | null;
  nextReleaseAt: number | null;
}

/**
 * The offers of these products with what their prices depend on; a product without an offer is not among them.
 * @param options.withSimulations false where they do not count: they are not loaded then. Default: true.
 */
export async function offersOfProducts(
  manager: EntityManager,
  g2aProductIds: readonly number[],
  { withSimulations = true }: { readonly withSimulations?: boolean } = {},
): Promise<OfferToPrice[]> {
  const simulations: ReadonlyMap<number, readonly StoredSimulation[]> = withSimulations
    ? await simulationsByProduct(manager, g2aProductIds)
    : new Map();
  const rows = await manager.query<OfferToPriceRow[]>(
    `SELECT offer.g2a_offer_id AS "g2aOfferId", offer.g2a_product_id AS "offerProductId",
       offer.deactivation_reason AS "deactivationReason", offer.observed_visibility AS visibility,
       offer.observed_min_price_cents AS "minPrice", offer.observed_max_price_cents AS "maxPrice",
       jsonb_build_object('priceCents', offer.desired_price_cents,
         'businessPriceCents', offer.desired_business_price_cents, 'size', offer.desired_size,
         'isActive', offer.desired_is_active, 'reason', offer.desired_reason,
         'costCents', offer.desired_cost_cents, 'incomeCents', offer.desired_income_cents,
         'breakEvenCents', offer.desired_break_even_cents,
         'businessBreakEvenCents', offer.desired_business_break_even_cents,
         'cwsProductId', offer.desired_cws_product_id) AS desired,
       ${epochMs('offer.reprice_at')} AS "repriceAt", offer.priced_holds AS "pricedHolds",
       offer.stale_suppliers AS "staleSuppliers", ${epochMs('offer.size_held_since')} AS "sizeHeldSince",
       stock.held, ${epochMs('release.next_at')} AS "nextReleaseAt",
       ${MAPPING_STOCK_COLUMNS}
     FROM offers offer
     LEFT JOIN product_mappings mapping ON mapping.g2a_product_id = offer.g2a_product_id
     ${MAPPING_STOCK_JOIN}
     LEFT JOIN (
       SELECT g2a_product_id, min(release_date) AS next_at
       FROM supplier_products JOIN product_mapping_suppliers USING (cws_product_id)
       WHERE release_date > now() GROUP BY g2a_product_id
     ) release ON release.g2a_product_id = offer.g2a_product_id
     WHERE offer.g2a_product_id = ANY ($1)`,
    [g2aProductIds],
  );
  const suppliers = new Map<number, OfferToPriceRow[]>();
  for (const row of rows) suppliers.set(row.offerProductId, [...(suppliers.get(row.offerProductId) ?? []), row]);
  const toPrice = (row: OfferToPriceRow, mapping: MappingStock | null): OfferToPrice => ({
    g2aOfferId: row.g2aOfferId,
    g2aProductId: row.offerProductId,
    deactivationReason: row.deactivationReason,
    visibility: row.visibility,
    marketplaceBounds: { minPrice: row.minPrice, maxPrice: row.maxPrice },
    simulations: simulations.get(row.offerProductId) ?? [],
    desired: row.desired,
    lastPricing: {
      repriceAt: row.repriceAt,
      heldPieces: row.pricedHolds,
      staleSuppliers: row.staleSuppliers,
      sizeHeldSince: row.sizeHeldSince,
    },
    heldPieces: heldPieces(suppliers.get(row.offerProductId) ?? []),
    nextReleaseAt: row.nextReleaseAt,
    mapping,
  });
  const isMapped = (row: OfferToPriceRow) => (row.g2aProductId as number | null) !== null;
  return [
    ...collectMappings(rows.filter(isMapped)).map(({ row, mapping }) => toPrice(row, mapping)),
    ...rows.filter((row) => !isMapped(row)).map((row) => toPrice(row, null)),
  ];
}

function epochMs(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000)::float8`;
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
         desired_cws_product_id = wanted.supplier, desired_break_even_cents = wanted.break_even,
         desired_business_break_even_cents = wanted.business_break_even,
         -- A back-off is about the change that was tried: another one, above all a stop, never waits for it. What is
         -- quarantined has failed with many changes.
         retry_at = CASE
           WHEN offer.quarantined_at IS NOT NULL AND wanted.is_active THEN offer.retry_at
           WHEN (offer.desired_price_cents, offer.desired_business_price_cents, offer.desired_size,
                 offer.desired_is_active, offer.desired_reason)
             IS DISTINCT FROM (wanted.price, wanted.business, wanted.size, wanted.is_active, wanted.reason) THEN NULL
           ELSE offer.retry_at END
       FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::boolean[], $5::text[], $6::integer[],
           $7::integer[], $8::uuid[], $9::integer[], $10::integer[], $11::integer[])
         AS wanted (id, price, size, is_active, reason, cost, income, supplier, business, break_even,
           business_break_even)
       WHERE offer.g2a_offer_id = wanted.id
         AND (offer.desired_price_cents, offer.desired_size, offer.desired_is_active, offer.desired_reason,
              offer.desired_cost_cents, offer.desired_income_cents, offer.desired_cws_product_id,
              offer.desired_business_price_cents, offer.desired_break_even_cents,
              offer.desired_business_break_even_cents)
           IS DISTINCT FROM (wanted.price, wanted.size, wanted.is_active, wanted.reason, wanted.cost, wanted.income,
             wanted.supplier, wanted.business, wanted.break_even, wanted.business_break_even)
       RETURNING offer.*
     ), kept AS (${keepShownPrices('written')})
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
      states.map((state) => state.desired.breakEvenCents),
      states.map((state) => state.desired.businessBreakEvenCents),
    ],
  );
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

/** The offers that we follow of these products, or with these ids: of each its product and its id. */
export async function followedOffers(
  manager: EntityManager,
  g2aProductIds: readonly number[],
  g2aOfferIds: readonly string[],
): Promise<[number, string][]> {
  const rows = await manager.query<{ product: number; offer: string }[]>(
    `SELECT g2a_product_id AS product, g2a_offer_id AS offer FROM offers
     WHERE g2a_product_id = ANY ($1) OR g2a_offer_id = ANY ($2)`,
    [g2aProductIds, g2aOfferIds],
  );
  return rows.map((row) => [row.product, row.offer]);
}

/** Mapped products whose offer is not known. */
export async function productsWithoutOffer(manager: EntityManager): Promise<number[]> {
  const rows = await manager.query<{ product: number }[]>(
    `SELECT g2a_product_id AS product FROM product_mappings mapping
     WHERE NOT EXISTS (SELECT 1 FROM offers WHERE g2a_product_id = mapping.g2a_product_id)`,
  );
  return rows.map((row) => row.product);
}

/** Offers that were switched off after their mapping was deleted, and are confirmed to be off. */
export async function abandonedOffers(manager: EntityManager): Promise<string[]> {
  const rows = await manager.query<{ g2a_offer_id: string }[]>(
    `SELECT g2a_offer_id FROM offers
     WHERE desired_reason = 'unmapped' AND sent_at IS NULL AND NOT observed_is_active AND observed_size = 0`,
  );
  return rows.map((row) => row.g2a_offer_id);
}

import type { EntityManager } from 'typeorm';
import type { Cents } from '../money/cents.js';
import { IS_SPOKEN_FOR } from './stock-holds.queries.js';
import { FEED_JOIN, FRESH_AS_OF } from './mapping-stock.queries.js';

/** Any constant that nothing else of ours locks ("PRCE" in ASCII). */
const OFFERS_LOCK = 0x50524345;

/**
 * What is spoken for at the suppliers of each product, as heldPieces() writes it, and what is left at the emptiest of them. Counted
 * from the holds, of which there are few: by the view, each product would be looked at.
 */
const HELD = `
  SELECT link.g2a_product_id, string_agg(stock.cws_product_id || '=' || stock.held, ',' ORDER BY stock.cws_product_id) AS pieces,
    min(stock.quantity - stock.held) AS rest
  FROM (
    SELECT hold.cws_product_id, product.quantity, sum(hold.quantity) AS held
    FROM stock_holds hold JOIN supplier_products product USING (cws_product_id)
    WHERE ${IS_SPOKEN_FOR}
    GROUP BY hold.cws_product_id, product.quantity
  ) stock JOIN product_mapping_suppliers link USING (cws_product_id)
  GROUP BY link.g2a_product_id`;

/** What is spoken for at each supplier, as one word; null: nothing. */
export function heldPieces(
  suppliers: readonly { readonly cwsProductId: string | null; readonly held: number | null }[],
): string | null {
  const held = suppliers.filter((supplier) => (supplier.held ?? 0) > 0);
  if (held.length === 0) return null;
  const words = held.map(({ cwsProductId, held }) => `${cwsProductId}=${held}`);
  return words.sort().join(',');
}

/** What the clock, holds and the balance have changed cannot be told without it. */
export interface RepricingLimits {
  /** Supplier states known only from before this time (epoch milliseconds) are stale. */
  readonly freshSince: number;
  /** Offers that cost more per key, in cents: the account can pay few of them, and how many has changed. Null: it has not. */
  readonly costAbove: Cents | null;
  /** Where so many pieces or more are left, what is spoken for changes nothing that a buyer notices: that waits for the clock. */
  readonly manyPieces: number;
}

/**
 * The G2A products whose offers must be priced again, of each index a few: queued ones, those that are due by the clock, those
 * with a supplier that was stale and is not any more, and those that the balance limits. Not all of the queued ones have an offer.
 */
export async function productsToReprice(
  manager: EntityManager,
  { freshSince, costAbove }: RepricingLimits,
): Promise<number[]> {
  const rows = await manager.query<{ product: number }[]>(
    `SELECT g2a_product_id AS product FROM repricings
     UNION ALL SELECT g2a_product_id FROM offers WHERE reprice_at <= now()
     UNION ALL SELECT g2a_product_id FROM offers WHERE desired_cost_cents > $2::bigint
     UNION ALL (
       SELECT offer.g2a_product_id FROM offers offer
       JOIN product_mapping_suppliers link ON link.g2a_product_id = offer.g2a_product_id
       JOIN supplier_products stock ON stock.cws_product_id = link.cws_product_id
       ${FEED_JOIN}
       WHERE offer.stale_suppliers > 0
       GROUP BY offer.g2a_offer_id
       HAVING count(*) FILTER (WHERE ${FRESH_AS_OF} < $1) < offer.stale_suppliers
     )`,
    [freshSince, costAbove],
  );
  return rows.map((row) => row.product);
}

/** Those of whose suppliers other pieces are spoken for than when they were priced. Counts all holds: with tens of thousands, for some 50 ms. */
export async function productsHeldOtherwise(
  manager: EntityManager,
  { manyPieces }: RepricingLimits,
): Promise<number[]> {
  const rows = await manager.query<{ product: number }[]>(
    `WITH held AS MATERIALIZED (${HELD})
     SELECT g2a_product_id AS product FROM held JOIN offers USING (g2a_product_id)
       WHERE pieces IS DISTINCT FROM priced_holds AND (rest < $1 OR desired_size < $1)
     UNION ALL SELECT g2a_product_id FROM offers
       WHERE priced_holds IS NOT NULL AND desired_size < $1 AND g2a_product_id NOT IN (SELECT g2a_product_id FROM held)`,
    [manyPieces],
  );
  return rows.map((row) => row.product);
}

/** Some of the products that are queued for pricing. */
export async function queuedProducts(manager: EntityManager, limit: number): Promise<number[]> {
  const rows = await manager.query<{ product: number }[]>(
    'SELECT DISTINCT g2a_product_id AS product FROM repricings LIMIT $1',
    [limit],
  );
  return rows.map((row) => row.product);
}

/** Whether anything that may change a price was stored and not priced yet. */
export async function isAnyQueued(manager: EntityManager): Promise<boolean> {
  const [row] = await manager.query<[{ isQueued: boolean }]>('SELECT EXISTS (SELECT 1 FROM repricings) AS "isQueued"');
  return row.isQueued;
}

/** The next products with an offer, in ascending order. @param after the last one that is not wanted any more; null: from the first. */
export async function nextProductsWithOffer(
  manager: EntityManager,
  after: number | null,
  limit: number,
): Promise<number[]> {
  const rows = await manager.query<{ product: number }[]>(
    `SELECT g2a_product_id AS product FROM offers WHERE g2a_product_id > $1 ORDER BY g2a_product_id LIMIT $2`,
    [after ?? -1, limit],
  );
  return rows.map((row) => row.product);
}

/** Lets one at a time write many offers at once, until the transaction ends: in different orders, two would block each other. */
export async function lockOffersInBulk(manager: EntityManager): Promise<void> {
  await manager.query('SELECT pg_advisory_xact_lock($1)', [OFFERS_LOCK]);
}

/**
 * Takes these products from the queue, as the only one who prices until the transaction ends. What is read by later statements
 * contains whatever queued them; what happens after this is queued again.
 */
export async function takeRepricings(manager: EntityManager, g2aProductIds: readonly number[]): Promise<void> {
  await lockOffersInBulk(manager);
  await manager.query('DELETE FROM repricings WHERE g2a_product_id = ANY ($1)', [g2aProductIds]);
}

/** By what all offers were last priced. */
export interface PricedInputs {
  readonly hash: string;
  /** What the account could pay, in cents; null: stock was not limited by it. */
  readonly payable: Cents | null;
}

/** Null: there are none by which all were priced. */
export async function pricedInputs(manager: EntityManager): Promise<PricedInputs | null> {
  const rows = await manager.query<PricedInputs[]>(
    'SELECT inputs_hash AS hash, payable_cents AS payable FROM pricing_state',
  );
  return rows[0] ?? null;
}

/** Some offers are about to be priced by other inputs: until all are, no inputs are those of all. */
export async function forgetPricedInputs(manager: EntityManager): Promise<void> {
  await manager.query('DELETE FROM pricing_state');
}

export async function storePricedInputs(manager: EntityManager, { hash, payable }: PricedInputs): Promise<void> {
  await manager.query(
    `INSERT INTO pricing_state (inputs_hash, payable_cents) VALUES ($1, $2)
     ON CONFLICT (id) DO UPDATE SET inputs_hash = excluded.inputs_hash, payable_cents = excluded.payable_cents`,
    [hash, payable],
  );
}

/** What is kept of a pricing, so that the next one is not missed. Times are epoch milliseconds. */
export interface OfferPricing {
  /** When the clock alone will change something; null: it will not. */
  readonly nextChangeAt: number | null;
  readonly heldPieces: string | null;
  readonly staleSuppliers: number;
  readonly sizeHeldSince: number | null;
}

/** The same as it was kept. */
export interface LastPricing extends Omit<OfferPricing, 'nextChangeAt'> {
  /** When it is to be priced again by the clock. */
  readonly repriceAt: number;
}

/**
 * Keeps how offers were priced. Each is priced again at its next change; if that is far away or never, in 5 to 10 minutes, to be
 * safe: at different times, so that no round has to price them all.
 */
export async function keepPricings(
  manager: EntityManager,
  pricings: readonly { readonly g2aOfferId: string; readonly pricing: OfferPricing }[],
): Promise<void> {
  if (pricings.length === 0) return;
  await manager.query(
    `UPDATE offers offer SET
       reprice_at = least(priced.next_change_at, CASE
         WHEN offer.reprice_at <= now() THEN now() + interval '5 minutes' * (1 + random()) ELSE offer.reprice_at END),
       priced_holds = priced.held_pieces, stale_suppliers = priced.stale_suppliers,
       size_held_since = priced.size_held_since
     FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::smallint[], $5::timestamptz[])
       AS priced (id, next_change_at, held_pieces, stale_suppliers, size_held_since)
     WHERE offer.g2a_offer_id = priced.id`,
    [
      pricings.map(({ g2aOfferId }) => g2aOfferId),
      pricings.map(({ pricing }) => asDate(pricing.nextChangeAt)),
      pricings.map(({ pricing }) => pricing.heldPieces),
      pricings.map(({ pricing }) => pricing.staleSuppliers),
      pricings.map(({ pricing }) => asDate(pricing.sizeHeldSince)),
    ],
  );
}

function asDate(epochMs: number | null): Date | null {
  return epochMs === null ? null : new Date(epochMs);
}

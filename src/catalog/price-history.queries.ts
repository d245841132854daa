import type { EntityManager } from 'typeorm';
import type { Cents } from '../money/cents.js';

/** What is kept of a published price, in the order of KEPT. */
const COLUMNS =
  'g2a_offer_id, g2a_product_id, retail_price_cents, business_price_cents, cost_cents, income_cents, cws_product_id';
const KEPT = `kept.offer, kept.product, kept.retail, kept.business, kept.cost, kept.income, kept.supplier`;

/** An INSERT of the rows of `source` (a SELECT with the columns of KEPT) that say something else than their product's last. */
function keep(source: string): string {
  return `INSERT INTO price_history (${COLUMNS})
    SELECT ${KEPT} FROM (${source}) kept
    LEFT JOIN LATERAL (
      SELECT ${COLUMNS} FROM price_history WHERE g2a_product_id = kept.product ORDER BY id DESC LIMIT 1
    ) last ON true
    WHERE last IS DISTINCT FROM (${KEPT})`;
}

/**
 * Part of a larger statement: keeps what G2A is known to show of the offers of `source`, and the cost behind it. These are
 * offers on sale at the prices that they should have, with no change on its way.
 * @param source a CTE of whole offers rows, as they are after a change.
 */
export function keepShownPrices(source: string): string {
  return keep(`
    SELECT offer.g2a_offer_id AS offer, offer.g2a_product_id AS product, wanted.retail, wanted.business,
      offer.desired_cost_cents AS cost, offer.desired_income_cents AS income, offer.desired_cws_product_id AS supplier
    FROM ${source} offer, LATERAL (SELECT
      CASE WHEN offer.observed_visibility <> 'business' THEN offer.desired_price_cents END AS retail,
      CASE WHEN offer.observed_visibility <> 'retail' THEN offer.desired_business_price_cents END AS business) wanted
    WHERE offer.sent_at IS NULL AND offer.desired_is_active AND offer.observed_is_active
      AND (offer.observed_visibility = 'business' OR offer.observed_retail_price_cents = wanted.retail)
      AND (offer.observed_visibility = 'retail' OR offer.observed_business_price_cents = wanted.business)`);
}

/** The prices that were to be published, and what they are made of. */
export interface PriceToKeep {
  readonly g2aOfferId: string;
  readonly visibility: 'all' | 'retail' | 'business';
  readonly desired: {
    readonly priceCents: Cents | null;
    readonly businessPriceCents: Cents | null;
    readonly costCents: Cents | null;
    readonly incomeCents: Cents | null;
    readonly cwsProductId: string | null;
  };
}

/**
 * Keeps prices that G2A has accepted just now. Should we die before, the next listing that shows them makes up for it.
 * @param isPriceSent whether the accepted change named them; if not, only what the listing has shown counts as published.
 */
export async function keepAcceptedPrices(
  manager: EntityManager,
  { g2aOfferId, visibility, desired }: PriceToKeep,
  isPriceSent: boolean,
): Promise<void> {
  const accepted = `
    SELECT g2a_offer_id AS offer, g2a_product_id AS product, $2::integer AS retail, $3::integer AS business,
      $4::integer AS cost, $5::integer AS income, $6::uuid AS supplier
    FROM offers
    WHERE g2a_offer_id = $1 AND ($7 OR ($2 IS NULL OR $2 = observed_retail_price_cents)
      AND ($3 IS NULL OR $3 = observed_business_price_cents))`;
  await manager.query(keep(accepted), [
    g2aOfferId,
    visibility === 'business' ? null : desired.priceCents,
    visibility === 'retail' ? null : desired.businessPriceCents,
    desired.costCents,
    desired.incomeCents,
    desired.cwsProductId,
    isPriceSent,
  ]);
}

/**
 * G2A has refused to change an offer, which goes on selling at the price that was kept last: keeps what that now costs. What
 * a sale leaves is what it left before, for fees go by the price.
 */
export async function keepCostOfOldPrices(manager: EntityManager, { g2aOfferId, desired }: PriceToKeep): Promise<void> {
  const old = `
    SELECT last.g2a_offer_id AS offer, last.g2a_product_id AS product, last.retail_price_cents AS retail,
      last.business_price_cents AS business, $2::integer AS cost, last.income_cents AS income, $3::uuid AS supplier
    FROM offers offer CROSS JOIN LATERAL (
      SELECT * FROM price_history WHERE g2a_product_id = offer.g2a_product_id ORDER BY id DESC LIMIT 1
    ) last
    WHERE offer.g2a_offer_id = $1 AND last.g2a_offer_id = offer.g2a_offer_id AND offer.observed_is_active
      AND (last.retail_price_cents IS NULL OR last.retail_price_cents = offer.observed_retail_price_cents)
      AND (last.business_price_cents IS NULL OR last.business_price_cents = offer.observed_business_price_cents)`;
  await manager.query(keep(old), [g2aOfferId, desired.costCents, desired.cwsProductId]);
}

/** A price that was published, and what it was made of. Amounts in cents. */
export interface PublishedPrice {
  readonly at: Date;
  /** Null for an offer that only businesses see. */
  readonly retailPrice: Cents | null;
  /** Null for an offer that businesses do not see. */
  readonly businessPrice: Cents | null;
  /** Of one key, in euros; null when the offer was switched off while the price was on its way. */
  readonly cost: Cents | null;
  /** What a sale at that price left after the fees of that time; null like the cost. */
  readonly income: Cents | null;
  readonly cwsProductId: string | null;
}

/** The published prices of a product, newest first. */
export async function priceHistory(
  manager: EntityManager,
  { g2aProductId, limit }: { g2aProductId: number; limit: number },
): Promise<PublishedPrice[]> {
  return manager.query<PublishedPrice[]>(
    `SELECT at, retail_price_cents AS "retailPrice", business_price_cents AS "businessPrice", cost_cents AS cost,
       income_cents AS income, cws_product_id AS "cwsProductId"
     FROM price_history WHERE g2a_product_id = $1 ORDER BY id DESC LIMIT $2`,
    [g2aProductId, limit],
  );
}

import type { EntityManager } from 'typeorm';
import type { Cents } from '../money/cents.js';

const SHOWN_RETAIL_PRICE = `
  CASE WHEN offer.observed_visibility <> 'business'
    THEN coalesce(offer.sent_price_cents, offer.observed_retail_price_cents) END`;
const SHOWN_BUSINESS_PRICE = `
  CASE WHEN offer.observed_visibility <> 'retail'
    THEN coalesce(offer.sent_business_price_cents, offer.observed_business_price_cents) END`;

/**
 * Part of a larger statement: an INSERT that keeps what the offers of `source` show now, and the cost behind it, unless the
 * product's last row says the same.
 * @param source a CTE of whole offers rows, as they are after a change.
 * @param condition which of them, as SQL about `offer`.
 */
export function keepPrices(source: string, condition: string): string {
  return `INSERT INTO price_history
      (g2a_offer_id, g2a_product_id, retail_price_cents, business_price_cents, cost_cents, income_cents, cws_product_id)
    SELECT offer.g2a_offer_id, offer.g2a_product_id, ${SHOWN_RETAIL_PRICE}, ${SHOWN_BUSINESS_PRICE},
      offer.desired_cost_cents, offer.desired_income_cents, offer.desired_cws_product_id
    FROM ${source} offer
    LEFT JOIN LATERAL (
      SELECT * FROM price_history WHERE g2a_product_id = offer.g2a_product_id ORDER BY id DESC LIMIT 1
    ) last ON true
    WHERE (${condition})
      AND (last.g2a_offer_id, last.retail_price_cents, last.business_price_cents, last.cost_cents, last.income_cents,
           last.cws_product_id)
        IS DISTINCT FROM (offer.g2a_offer_id, ${SHOWN_RETAIL_PRICE}, ${SHOWN_BUSINESS_PRICE}, offer.desired_cost_cents,
           offer.desired_income_cents, offer.desired_cws_product_id)`;
}

/** Offers on sale at the price that they should have: what changes for them is the reckoning behind the price. */
export const SHOWS_DESIRED_PRICE = `
  offer.desired_is_active AND coalesce(offer.sent_is_active, offer.observed_is_active)
  AND offer.desired_price_cents = coalesce(${SHOWN_RETAIL_PRICE}, ${SHOWN_BUSINESS_PRICE})`;

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

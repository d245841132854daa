import type { EntityManager } from 'typeorm';
import type { Cents } from '../money/cents.js';
import { priceBandOf, type ProductSimulations } from '../pricing/simulated-income.rules.js';

/** The last attempt to learn what sales in one price band of a product earn. */
export interface StoredSimulation {
  /** The price that was asked about. */
  readonly price: Cents;
  /** By the last answer; null while there was none. */
  readonly income: Cents | null;
  /** Null also where G2A does not tell. */
  readonly businessIncome: Cents | null;
  /** Null when the last attempt succeeded. */
  readonly failure: string | null;
  /** Of the last attempt, epoch milliseconds. */
  readonly simulatedAt: number;
}

/** A price of a product. */
export interface SimulatedPrice {
  readonly g2aProductId: number;
  readonly price: Cents;
}

/** All attempts by G2A product, of these products; each product's ascending by price. */
export async function simulationsByProduct(
  manager: EntityManager,
  g2aProductIds: readonly number[],
): Promise<ReadonlyMap<number, readonly StoredSimulation[]>> {
  const rows = await manager.query<(StoredSimulation & { g2aProductId: number })[]>(
    `SELECT g2a_product_id AS "g2aProductId", price_cents AS price, income_cents AS income,
       business_income_cents AS "businessIncome", failure,
       (extract(epoch FROM simulated_at) * 1000)::float8 AS "simulatedAt"
     FROM price_simulations WHERE g2a_product_id = ANY ($1) ORDER BY g2a_product_id, price_band`,
    [g2aProductIds],
  );
  const byProduct = new Map<number, StoredSimulation[]>();
  for (const { g2aProductId, ...simulation } of rows) {
    const known = byProduct.get(g2aProductId);
    if (known === undefined) byProduct.set(g2aProductId, [simulation]);
    else known.push(simulation);
  }
  return byProduct;
}

/** What pricing may count on of these attempts: the answers. */
export function productSimulations(stored: readonly StoredSimulation[]): ProductSimulations {
  return {
    retail: stored.flatMap(({ price, income }) => (income === null ? [] : [{ price, income }])),
    business: stored.flatMap(({ price, businessIncome }) =>
      businessIncome === null ? [] : [{ price, income: businessIncome }],
    ),
  };
}

/**
 * Keeps G2A's answer about a price, in place of what was known about its band. A business income that it does not tell any
 * more stays known, as the same share of the new price, rounded down: a fee that is known to be high is not forgotten.
 */
export async function recordSimulation(
  manager: EntityManager,
  { g2aProductId, price }: SimulatedPrice,
  answer: { readonly income: Cents; readonly businessIncome: Cents | null },
): Promise<void> {
  await manager.query(
    `INSERT INTO price_simulations
       (g2a_product_id, price_band, price_cents, income_cents, business_income_cents, simulated_at)
     VALUES ($1, $2, $3, $4, $5, now())
     ON CONFLICT (g2a_product_id, price_band) DO UPDATE SET
       price_cents = excluded.price_cents, income_cents = excluded.income_cents,
       business_income_cents = coalesce(excluded.business_income_cents, floor(
         price_simulations.business_income_cents::numeric * excluded.price_cents / price_simulations.price_cents)),
       failure = NULL, simulated_at = now()`,
    [g2aProductId, priceBandOf(price), price, answer.income, answer.businessIncome],
  );
}

/** Keeps that a price could not be simulated; an earlier answer about its band goes on counting. */
export async function recordSimulationFailure(
  manager: EntityManager,
  { g2aProductId, price }: SimulatedPrice,
  failure: string,
): Promise<void> {
  await manager.query(
    `INSERT INTO price_simulations (g2a_product_id, price_band, price_cents, failure, simulated_at)
     VALUES ($1, $2, $3, left($4, 500), now())
     ON CONFLICT (g2a_product_id, price_band) DO UPDATE SET failure = excluded.failure, simulated_at = now()`,
    [g2aProductId, priceBandOf(price), price, failure],
  );
}

/**
 * Deletes what was said about products that have neither an offer nor a mapping any more. Of all others the last answer counts
 * however old it is: a fee that is known to be high must not be forgotten while a product is out of stock or selling is paused.
 */
export async function forgetSimulationsOfGoneProducts(manager: EntityManager): Promise<void> {
  await manager.query(
    `DELETE FROM price_simulations simulation
     WHERE NOT EXISTS (SELECT 1 FROM offers WHERE g2a_product_id = simulation.g2a_product_id)
       AND NOT EXISTS (SELECT 1 FROM product_mappings WHERE g2a_product_id = simulation.g2a_product_id)`,
  );
}

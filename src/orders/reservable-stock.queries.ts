import type { EntityManager } from 'typeorm';
import { isOneOf } from '../database/is-one-of.js';
import { LOWEST_SHOWN_PRICE } from '../catalog/offers.queries.js';
import {
  collectMappings,
  MAPPING_STOCK_COLUMNS,
  MAPPING_STOCK_JOIN,
  type MappingStock,
  type MappingStockRow,
} from '../catalog/mapping-stock.queries.js';
import { type Cents, NO_CENTS } from '../money/cents.js';
import { LAST_COUNT_COLUMNS } from './committed-money.queries.js';
import type { CountedBalance } from './committed-since.rules.js';

/** A G2A product with all that decides whether it can be reserved. */
export interface ReservableProduct extends MappingStock {
  /** Lowest price at which G2A may be selling it; null when no listing has shown us an offer yet. */
  readonly shownPriceCents: Cents | null;
  readonly visibility: 'all' | 'retail' | 'business' | null;
  /** Lowest price at which G2A may be selling to companies; null when they do not see it, or nothing is known. */
  readonly businessPriceCents: Cents | null;
  /** What G2A said that sales leave: price, income, and income from companies, ascending by price; empty: nothing was asked. */
  readonly simulations: readonly (readonly [Cents, Cents | null, Cents | null])[];
}

/** Products as they stand at one moment. */
export interface ReservableStock {
  readonly isPaused: boolean;
  /** Database time, epoch milliseconds. */
  readonly now: number;
  /** Unknown products are absent. */
  readonly products: ReadonlyMap<number, ReservableProduct>;
}

/** The same, and what the account can pay for; null: not known, and nothing is refused for it. */
export interface StockToReserve extends ReservableStock {
  readonly balance: CountedBalance | null;
  /** The supplier's feed is not believed: only what is asked for now may be promised. */
  readonly isFeedUnreliable: boolean;
}

type Row = MappingStockRow &
  Pick<ReservableProduct, 'shownPriceCents' | 'visibility' | 'businessPriceCents' | 'simulations'> & {
    isPaused: boolean;
    now: number;
    totalToUseCents?: Cents | null;
    payableCents?: Cents;
    countedAt?: number | null;
    isFeedUnreliable?: boolean;
  };

/**
 * @param condition on the G2A product's id.
 * @param more of the whole: columns, with a comma behind them, and where they come from.
 */
function stockStatement(condition: string, more = { columns: '', join: '' }): string {
  return `SELECT control.is_paused AS "isPaused", ${more.columns}
      date_part('epoch', clock_timestamp()) * 1000 AS now,
      ${MAPPING_STOCK_COLUMNS},
      ${LOWEST_SHOWN_PRICE} AS "shownPriceCents",
      offer.observed_visibility AS visibility,
      CASE WHEN offer.observed_visibility <> 'retail'
        THEN least(offer.observed_business_price_cents, offer.sent_business_price_cents) END AS "businessPriceCents",
      ARRAY(SELECT ARRAY[price_cents, income_cents, business_income_cents] FROM price_simulations
        WHERE g2a_product_id = mapping.g2a_product_id ORDER BY price_band) AS simulations
    FROM control_state control ${more.join}
    LEFT JOIN product_mappings mapping ON mapping.g2a_product_id ${condition}
    LEFT JOIN offers offer ON offer.g2a_product_id = mapping.g2a_product_id
    ${MAPPING_STOCK_JOIN}`;
}

// Built once: this is the statement that runs most often.
const STOCK_OF_ONE = stockStatement('= $1');
const STOCK_OF_MANY = stockStatement('= ANY ($1)');
const BALANCE = {
  columns: `${LAST_COUNT_COLUMNS}, feed.unreliable_since IS NOT NULL AS "isFeedUnreliable",`,
  join: 'CROSS JOIN account_balance balance',
};
const STOCK_TO_RESERVE_ONE = stockStatement('= $1', BALANCE);
const STOCK_TO_RESERVE_MANY = stockStatement('= ANY ($1)', BALANCE);

/** Everything a reservation depends on, in one statement; it must come after the one that locks the stock. */
export async function stockToReserve(
  manager: EntityManager,
  g2aProductIds: readonly number[],
): Promise<StockToReserve> {
  const { condition, parameter } = isOneOf(g2aProductIds);
  return readStock(manager, condition === '= $1' ? STOCK_TO_RESERVE_ONE : STOCK_TO_RESERVE_MANY, parameter);
}

/** These products as they stand now, whatever the account can pay. */
export async function reservableStock(
  manager: EntityManager,
  g2aProductIds: readonly number[],
): Promise<ReservableStock> {
  const { condition, parameter } = isOneOf(g2aProductIds);
  return readStock(manager, condition === '= $1' ? STOCK_OF_ONE : STOCK_OF_MANY, parameter);
}

async function readStock(manager: EntityManager, statement: string, parameter: unknown): Promise<StockToReserve> {
  const rows = await manager.query<[Row, ...Row[]]>(statement, [parameter]);
  const [
    { isPaused, now, totalToUseCents = null, payableCents = NO_CENTS, countedAt = null, isFeedUnreliable = false },
  ] = rows;
  const balance = totalToUseCents === null ? null : { totalToUseCents, payableCents, countedAt };
  // The one row of control_state stands alone when no product is known.
  const known = collectMappings(rows.filter((row) => (row.g2aProductId as number | null) !== null));
  const products = known.map(({ mapping, row: { shownPriceCents, visibility, businessPriceCents, simulations } }) => ({
    ...mapping,
    shownPriceCents,
    visibility,
    businessPriceCents,
    simulations,
  }));
  const byId = new Map(products.map((product) => [product.g2aProductId, product]));
  return { isPaused, now, balance, isFeedUnreliable, products: byId };
}

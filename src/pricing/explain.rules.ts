import { Big } from 'big.js';
import { type Cents, cents } from '../money/cents.js';
import { decideListing, keysWithin, type ListingDecision, type ListingInput } from './listing-decision.rules.js';
import { listingPrice, profitShare, requiredProfit, unroundedListingPrice } from './listing-price.rules.js';
import { priceWithinBounds } from './price-bounds.rules.js';
import { type CharmEnding, type PriceBounds, RATE_SCALE } from './pricing-terms.js';
import { type NoPriceReason, type PriceConditions, profitablePrice, shownPrices } from './shown-prices.rules.js';
import {
  expectedIncome,
  lowestPriceEarning,
  NO_SIMULATIONS,
  realFeeRate,
  simulatedIncome,
  type SimulatedIncome,
} from './simulated-income.rules.js';
import { cheapestSupplier, type SupplierOffer, unitPriceFor } from './supplier-choice.rules.js';

/**
 * What a supplier is to the listing: `chosen`; usable, but `not_cheapest` (or as cheap and later in the mapping); without keys
 * (`out_of_stock`) or without a price for a single one (`no_price`); passed over because its unconfirmed price may lose money
 * (`price_unconfirmed`); or last heard of too long ago (`stale`).
 */
export type SupplierVerdict = 'chosen' | 'not_cheapest' | 'out_of_stock' | 'no_price' | 'price_unconfirmed' | 'stale';

export interface ExplainedSupplier {
  readonly supplier: SupplierOffer;
  /** What a single key costs by its accepted bands, in stock or not; null when no band contains 1. */
  readonly unitPrice: Cents | null;
  readonly verdict: SupplierVerdict;
}

/** One answer of the marketplace about what a sale earns. */
export interface ExplainedSimulation extends SimulatedIncome {
  /** What it keeps by that, as a fraction of the price: "0.1734". */
  readonly feePercentage: string;
}

/** From the rounded price to the one that is shown to consumers (`retail`) or companies (`business`). */
export interface ExplainedPrice {
  readonly audience: 'retail' | 'business';
  /** All that the marketplace said, ascending by price. */
  readonly simulations: readonly ExplainedSimulation[];
  /** What a sale at the rounded price earns by its word; null when it said nothing about such prices. */
  readonly simulatedIncome: Cents | null;
  /** The rounded price, raised until its word leaves enough; null when no price does. */
  readonly simulatedPrice: Cents | null;
  /** That, raised to the highest minimum; null when it is above a maximum. */
  readonly boundedPrice: Cents | null;
  /** That with the charm ending, where it fits below the maximum. */
  readonly charmingPrice: Cents | null;
  /** What is shown. Above `charmingPrice` only when the marketplace keeps more of such a price; null: not sold. */
  readonly price: Cents | null;
  /** Why there is none. */
  readonly obstacle: NoPriceReason | null;
  /** What a sale leaves at worst, by the configured fee or the marketplace's word; null without a price. */
  readonly income: Cents | null;
}

/** Every number between the cost of the chosen supplier and the prices, in the order in which they follow from each other. */
export interface Calculation {
  readonly cwsProductId: string;
  /** Of a single key. */
  readonly cost: Cents;
  readonly profit: {
    readonly fixed: Cents;
    /** Percent of the cost, decimal text: "7.5". */
    readonly percent: string;
    /** The percentage of this cost. */
    readonly share: Cents;
    /** The larger of both. */
    readonly required: Cents;
  };
  readonly fee: {
    /** Fraction of the price, decimal text: "0.15". */
    readonly percentage: string;
    readonly fixed: Cents;
  };
  /** (cost + profit + fixed fee) / (1 - fee): "8.02352…". */
  readonly unroundedPrice: string;
  /** Rounded up: the lowest price that keeps the profit by the configured fee. */
  readonly roundedPrice: Cents;
  readonly bounds: { readonly mapping: PriceBounds; readonly marketplace: PriceBounds };
  readonly charmEnding: CharmEnding | null;
  /** One for each of those who see the offer. */
  readonly prices: readonly ExplainedPrice[];
  /** Keys, of all suppliers, that a sale pays for; null without a price. */
  readonly deliverable: number | null;
}

/** Why a product has its price, or none. */
export interface ListingExplanation {
  /** In the mapping's order, those that are stale last. */
  readonly suppliers: readonly ExplainedSupplier[];
  /** Null when no supplier can be calculated with. */
  readonly calculation: Calculation | null;
  readonly stockBuffer: number;
  readonly maxDeclaredStock: number;
  readonly decision: ListingDecision;
}

const UNBOUNDED: PriceBounds = { minPrice: null, maxPrice: null };

/**
 * The steps of decideListing, asked one by one of the functions that it is made of, and of itself: a supplier is judged by what
 * would be decided if it were the only one.
 * @param staleSuppliers those that are known but were not decided with.
 */
export function explainListing(input: ListingInput, staleSuppliers: readonly SupplierOffer[] = []): ListingExplanation {
  const obstacles = input.suppliers.map((supplier) => obstacleOf(supplier, input));
  const chosen = cheapestSupplier(input.suppliers.filter((_, index) => obstacles[index] === null));
  const explain = (supplier: SupplierOffer, verdict: SupplierVerdict): ExplainedSupplier => ({
    supplier,
    unitPrice: unitPriceFor(supplier.bands, 1),
    verdict,
  });
  return {
    suppliers: [
      ...input.suppliers.map((supplier, index) => {
        const rank = supplier.cwsProductId === chosen?.cwsProductId ? 'chosen' : 'not_cheapest';
        return explain(supplier, obstacles[index] ?? rank);
      }),
      ...staleSuppliers.map((supplier) => explain(supplier, 'stale')),
    ],
    calculation: chosen === null ? null : calculate(chosen.cwsProductId, chosen.unitPrice, input),
    stockBuffer: input.stockBuffer,
    maxDeclaredStock: input.maxDeclaredStock,
    decision: decideListing(input),
  };
}

/** Why this supplier cannot be sold from, whatever the others do; null when it can: it is no fault of it if no price is possible. */
function obstacleOf(supplier: SupplierOffer, input: ListingInput): SupplierVerdict | null {
  const alone = decideListing({ ...input, suppliers: [supplier], stockBuffer: 0 });
  if (alone.isSellable) return null;
  const { reason } = alone;
  return reason === 'price_above_maximum' || reason === 'no_profitable_price' ? null : reason;
}

function calculate(cwsProductId: string, cost: Cents, input: ListingInput): Calculation {
  const { terms, marketplaceBounds = UNBOUNDED, visibility = 'all' } = input;
  const { minPrice, maxPrice, charmEnding = null } = terms;
  const shown = shownPrices(cost, input);
  const audiences = visibility === 'all' ? (['retail', 'business'] as const) : [visibility];
  return {
    cwsProductId,
    cost,
    profit: {
      fixed: terms.fixedProfit,
      percent: inDecimals(terms.profitPercent, 100),
      share: profitShare(cost, terms),
      required: requiredProfit(cost, terms),
    },
    fee: { percentage: inDecimals(terms.feePercentage, 1), fixed: terms.feeFixed },
    unroundedPrice: unroundedListingPrice(cost, terms),
    roundedPrice: listingPrice(cost, terms),
    bounds: { mapping: { minPrice, maxPrice }, marketplace: marketplaceBounds },
    charmEnding,
    prices: audiences.map((audience) => explainPrice(audience, cost, input)),
    deliverable: typeof shown === 'string' ? null : keysWithin(shown.lowestIncome, input.suppliers),
  };
}

function explainPrice(audience: 'retail' | 'business', cost: Cents, conditions: PriceConditions): ExplainedPrice {
  const { terms, marketplaceBounds = UNBOUNDED, simulations = NO_SIMULATIONS } = conditions;
  const said = simulations[audience];
  const bounds = [terms, marketplaceBounds];
  const rounded = listingPrice(cost, terms);
  const raised = lowestPriceEarning(cents(cost + requiredProfit(cost, terms)), rounded, terms, said);
  const price = profitablePrice(cost, conditions, said);
  return {
    audience,
    simulations: said.map((each) => ({ ...each, feePercentage: inDecimals(realFeeRate(each), 1) })),
    simulatedIncome: simulatedIncome(rounded, terms, said),
    simulatedPrice: raised,
    boundedPrice: raised === null ? null : priceWithinBounds(raised, null, bounds),
    charmingPrice: raised === null ? null : priceWithinBounds(raised, terms.charmEnding ?? null, bounds),
    price: typeof price === 'string' ? null : price,
    obstacle: typeof price === 'string' ? price : null,
    income: typeof price === 'string' ? null : expectedIncome(price, terms, said),
  };
}

/** A rate in millionths as the shortest decimal text, of so many parts of a whole. */
function inDecimals(millionths: number, parts: number): string {
  return new Big(millionths).times(parts).div(RATE_SCALE).toFixed();
}

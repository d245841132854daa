import { cents } from '../money/cents.js';
import type { Cents } from '../money/cents.js';
import { listingPrice, requiredProfit } from './listing-price.rules.js';
import { priceWithinBounds } from './price-bounds.rules.js';
import type { PriceBounds, PricingTerms } from './pricing-terms.js';
import {
  expectedIncome,
  lowestPriceEarning,
  NO_SIMULATIONS,
  type ProductSimulations,
  type SimulatedIncome,
} from './simulated-income.rules.js';

/** What turns the cost of a product into the prices that its offer shows. */
export interface PriceConditions {
  readonly terms: PricingTerms;
  /** The marketplace's own limits for this product. Default: none known. */
  readonly marketplaceBounds?: PriceBounds;
  /** What the marketplace said that sales earn. Default: nothing, and the configured fee stands. */
  readonly simulations?: ProductSimulations;
  /** Who sees the offer, consumers, companies or both, and so which of the two prices count. Default: both. */
  readonly visibility?: 'all' | 'retail' | 'business';
}

/** The two prices of an offer. Where only one of them is seen, both are that one. */
export interface ShownPrices {
  readonly price: Cents;
  readonly businessPrice: Cents;
  /** What a sale at `price` leaves, at worst. */
  readonly income: Cents;
  /** What a sale at either price leaves, at worst. */
  readonly lowestIncome: Cents;
}

/** Why there is no price: a maximum is below the lowest one that keeps the profit, or fees take all of any price. */
export type NoPriceReason = 'price_above_maximum' | 'no_profitable_price';

const UNBOUNDED: PriceBounds = { minPrice: null, maxPrice: null };

/** The lowest prices that keep the profit at this cost, by the configured fee and by the marketplace's own word. */
export function shownPrices(cost: Cents, conditions: PriceConditions): ShownPrices | NoPriceReason {
  const { terms, simulations = NO_SIMULATIONS, visibility = 'all' } = conditions;
  const main = visibility === 'business' ? simulations.business : simulations.retail;
  const price = profitablePrice(cost, conditions, main);
  if (typeof price === 'string') return price;
  const income = expectedIncome(price, terms, main);
  const isOnePrice = visibility !== 'all' || (main.length === 0 && simulations.business.length === 0);
  if (isOnePrice) return { price, businessPrice: price, income, lowestIncome: income };

  const businessPrice = profitablePrice(cost, conditions, simulations.business);
  if (typeof businessPrice === 'string') return businessPrice;
  const businessIncome = expectedIncome(businessPrice, terms, simulations.business);
  return { price, businessPrice, income, lowestIncome: businessIncome < income ? businessIncome : income };
}

/**
 * The prices at this cost about which the marketplace's word counts: the one by the configured fee, from which each rise
 * starts, and those that are shown.
 */
export function pricesToSimulate(cost: Cents, conditions: PriceConditions): Cents[] {
  const byFee = shownPrices(cost, { ...conditions, simulations: NO_SIMULATIONS });
  const shown = shownPrices(cost, conditions);
  const prices = [
    ...(typeof byFee === 'string' ? [] : [byFee.price]),
    ...(typeof shown === 'string' ? [] : [shown.price, shown.businessPrice]),
  ];
  return [...new Set(prices)];
}

/** The lowest price that keeps the profit at this cost, by the configured fee and by these simulations, within all bounds. */
export function profitablePrice(
  cost: Cents,
  { terms, marketplaceBounds = UNBOUNDED }: PriceConditions,
  simulations: readonly SimulatedIncome[],
): Cents | NoPriceReason {
  const toEarn = cents(cost + requiredProfit(cost, terms));
  let lowest = listingPrice(cost, terms);
  for (;;) {
    const profitable = lowestPriceEarning(toEarn, lowest, terms, simulations);
    if (profitable === null) return 'no_profitable_price';
    const price = priceWithinBounds(profitable, terms.charmEnding ?? null, [terms, marketplaceBounds]);
    if (price === null) return 'price_above_maximum';
    // A minimum or an ending may have raised it into a band with a higher fee; from there it can only go on rising.
    if (lowestPriceEarning(toEarn, price, terms, simulations) === price) return price;
    lowest = price;
  }
}

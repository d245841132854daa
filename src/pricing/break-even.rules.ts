import { type Cents, NO_CENTS } from '../money/cents.js';
import { listingPrice } from './listing-price.rules.js';
import type { PricingTerms, ProfitPercent } from './pricing-terms.js';
import { expectedIncome, lowestPriceEarning, priceBandOf, type SimulatedIncome } from './simulated-income.rules.js';

const NO_PROFIT_SHARE = 0 as ProfitPercent;

/**
 * The price below which a sale costs more than it leaves, by the configured fee and by the marketplace's word: the next cent
 * below it loses money. Where a higher band takes more, that is above prices further down that would pay.
 * @param price one that pays, for which the search is made: at most that is returned.
 */
export function breakEvenPrice(
  cost: Cents,
  price: Cents,
  terms: PricingTerms,
  simulations: readonly SimulatedIncome[],
): Cents {
  const byFee = listingPrice(cost, { ...terms, fixedProfit: NO_CENTS, profitPercent: NO_PROFIT_SHARE });
  const bands = simulations.map((simulation) => priceBandOf(simulation.price)).filter((band) => band <= price);
  // The highest band in which some price loses decides: from where it stops to lose, everything up to `price` pays.
  for (const band of bands.reverse()) {
    const start = band > byFee ? band : byFee;
    if (expectedIncome(start, terms, simulations) >= cost) continue;
    const paying = lowestPriceEarning(cost, start, terms, simulations);
    return paying !== null && paying < price ? paying : price;
  }
  return byFee < price ? byFee : price;
}

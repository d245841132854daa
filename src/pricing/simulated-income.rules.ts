import { cents } from '../money/cents.js';
import type { Cents } from '../money/cents.js';
import { divideDown, divideUp, netIncome } from './listing-price.rules.js';
import { RATE_SCALE } from './pricing-terms.js';
import type { PricingTerms } from './pricing-terms.js';

/** What the marketplace said that a sale at `price` leaves to us. It counts for the whole price band, see `simulatedIncome`. */
export interface SimulatedIncome {
  /** Above 0. */
  readonly price: Cents;
  /** After all fees, the lowest over all countries. May be negative. */
  readonly income: Cents;
}

/** What the marketplace said about one product: ascending by price, at most one per price band. */
export interface ProductSimulations {
  /** Of sales to consumers. */
  readonly retail: readonly SimulatedIncome[];
  /** Of sales to companies, which pay other fees. */
  readonly business: readonly SimulatedIncome[];
}

export const NO_SIMULATIONS: ProductSimulations = { retail: [], business: [] };

/**
 * The lowest price of the band that a price belongs to: prices that share their number of digits and the first two of them.
 * 8.03 is in the band of 8.00 (to 8.09), 123.45 in that of 120.00 (to 129.99), 0.45 in that of 0.45 alone.
 */
export function priceBandOf(price: Cents): Cents {
  let width = 1;
  while (price >= 100 * width) width *= 10;
  return cents(price - (price % width));
}

/**
 * What a sale at this price leaves by the marketplace's own word about its price band, or the nearest band below it that was
 * asked about. Of a fee with a percentage and a fixed part, the guess errs on our side both ways: above the price that was asked
 * about it is the same share (a fixed part weighs less there), below it each cent of price counts as a cent of income. An answer
 * that is no less than configured says so of its other prices too: a share that was rounded down once must not cost them a cent.
 * Null when no such band was asked about. Rounded down.
 */
export function simulatedIncome(
  price: Cents,
  terms: PricingTerms,
  simulations: readonly SimulatedIncome[],
): Cents | null {
  const simulation = simulationFor(price, simulations);
  if (simulation === undefined) return null;
  const income =
    price < simulation.price ? cents(simulation.income - (simulation.price - price)) : shareOf(price, simulation);
  const configured = netIncome(price, terms);
  return isAsConfigured(simulation, terms) && configured > income ? configured : income;
}

/** What a sale leaves at worst: by the configured fee or by the marketplace's word, whichever is less. */
export function expectedIncome(price: Cents, terms: PricingTerms, simulations: readonly SimulatedIncome[]): Cents {
  const configured = netIncome(price, terms);
  const simulated = simulatedIncome(price, terms, simulations);
  return simulated !== null && simulated < configured ? simulated : configured;
}

/**
 * Like expectedIncome, and below the lowest band that was asked about by the share of that one: a price that is shown may be
 * lower than all that we would ask for today. Rounded down.
 */
export function incomeAtWorst(price: Cents, terms: PricingTerms, simulations: readonly SimulatedIncome[]): Cents {
  const expected = expectedIncome(price, terms, simulations);
  const [lowest] = simulations;
  if (lowest === undefined || simulationFor(price, simulations) !== undefined || isAsConfigured(lowest, terms)) {
    return expected;
  }
  const income = cents(Number(divideDown(BigInt(price) * BigInt(lowest.income), BigInt(lowest.price))));
  return income < expected ? income : expected;
}

/**
 * The lowest price, from `lowest` on, whose simulated income is at least `toEarn`; where nothing was simulated that is `lowest`
 * itself. Null when no price earns that much: all of it would go into fees.
 * @param lowest a price that earns enough by the configured fee.
 */
export function lowestPriceEarning(
  toEarn: Cents,
  lowest: Cents,
  terms: PricingTerms,
  simulations: readonly SimulatedIncome[],
): Cents | null {
  if (simulations.length === 0) return lowest;
  // Each simulation rules from its own band to the one before the next simulation's: one price to look at for each.
  for (const start of [lowest, ...bandsAbove(lowest, simulations)]) {
    const simulation = simulationFor(start, simulations);
    if (simulation === undefined || isAsConfigured(simulation, terms)) return start;
    if (simulation.income <= 0) continue;
    const enough = lowestEarning(toEarn, simulation);
    const price = enough > start ? enough : start;
    const [next] = bandsAbove(start, simulations);
    if (next === undefined || price < next) return price;
  }
  return null;
}

/** What the marketplace keeps of a simulated sale: in millionths of the price, rounded up. May reach the whole price or more. */
export function realFeeRate({ price, income }: SimulatedIncome): number {
  return Number(divideUp(BigInt(price - income) * BigInt(RATE_SCALE), BigInt(price)));
}

/** The same share of this price as of the simulated one, rounded down. */
function shareOf(price: Cents, simulation: SimulatedIncome): Cents {
  return cents(Number(divideDown(BigInt(price) * BigInt(simulation.income), BigInt(simulation.price))));
}

/** The lowest price that earns so much by this simulation alone, which leaves something. */
function lowestEarning(toEarn: Cents, { price, income }: SimulatedIncome): Cents {
  return toEarn <= income
    ? cents(price - (income - toEarn))
    : cents(Number(divideUp(BigInt(toEarn) * BigInt(price), BigInt(income))));
}

/** Starts of the simulated bands above the band of this price, ascending. */
function bandsAbove(price: Cents, simulations: readonly SimulatedIncome[]): Cents[] {
  const band = priceBandOf(price);
  return simulations.map((simulation) => priceBandOf(simulation.price)).filter((start) => start > band);
}

function simulationFor(price: Cents, simulations: readonly SimulatedIncome[]): SimulatedIncome | undefined {
  const band = priceBandOf(price);
  return simulations.findLast((candidate) => priceBandOf(candidate.price) <= band);
}

/** Whether the marketplace keeps no more than the configured fee. */
function isAsConfigured({ price, income }: SimulatedIncome, terms: PricingTerms): boolean {
  return income >= netIncome(price, terms);
}

import {
  productSimulations,
  type SimulatedPrice,
  type StoredSimulation,
} from '../catalog/price-simulations.queries.js';
import type { OfferToPrice } from '../catalog/offers.queries.js';
import { type Cents, formatCents } from '../money/cents.js';
import { decideListing, type ListingInput } from '../pricing/listing-decision.rules.js';
import { netIncome } from '../pricing/listing-price.rules.js';
import { pricesToSimulate } from '../pricing/shown-prices.rules.js';
import { priceBandOf, type SimulatedIncome } from '../pricing/simulated-income.rules.js';
import { cheapestSupplier } from '../pricing/supplier-choice.rules.js';
import type { RequestRate } from '../upstream/request-budget.js';
import { type DesiredStateInput, listingToSell } from './desired-state.rules.js';

/** An answer is asked for anew after this time. */
export const SIMULATION_LIFE_MS = 7 * 24 * 3_600_000;
/** A failed attempt is repeated after this time. */
export const FAILURE_LIFE_MS = 3_600_000;

/** Percent of the request rate that simulations may use. */
const SHARE_PERCENT = { sample: 5, all: 30 } as const;

/** A sale that leaves less than the configured fee says. */
export interface HigherFee {
  readonly g2aProductId: number;
  readonly price: Cents;
  readonly simulatedIncome: Cents;
  readonly configuredIncome: Cents;
}

/** A price to ask about. */
export interface DuePrice extends SimulatedPrice {
  /** When it was last asked about, epoch milliseconds; 0: never. */
  readonly askedAt: number;
}

/** What to ask G2A, and what it has said so far. */
export interface SimulationPlan {
  readonly due: readonly DuePrice[];
  /** One for each product of which G2A keeps more than configured. */
  readonly higherFees: readonly HigherFee[];
}

/** Goes through the prices of these offers. */
export function planSimulations(offers: readonly OfferToPrice[], input: DesiredStateInput): SimulationPlan {
  const due: DuePrice[] = [];
  const higherFees: HigherFee[] = [];
  for (const offer of offers) {
    const { g2aProductId, simulations } = offer;
    const listing = listingToSell(offer, input);
    if (typeof listing === 'string') continue;
    const lowestByBand = lowestPriceOfEachBand(pricesOf(listing));
    for (const [band, price] of lowestByBand) {
      const known = simulations.find((simulation) => priceBandOf(simulation.price) === band);
      if (isDue(known, price, input.now)) due.push({ g2aProductId, price, askedAt: known?.simulatedAt ?? 0 });
    }
    const current = simulations.filter(({ price }) => lowestByBand.has(priceBandOf(price)));
    const higher = higherFeeOf(g2aProductId, listing, current);
    if (higher !== null) higherFees.push(higher);
  }
  return { due, higherFees };
}

/**
 * Prices never asked about first, then those asked about longest ago: every product gets its turn.
 * @param limit the most prices to ask about, 1 and above.
 */
export function mostDue(due: readonly DuePrice[], limit: number): DuePrice[] {
  return [...due].sort((a, b) => a.askedAt - b.askedAt).slice(0, limit);
}

/** The part of G2A's request rate that simulations may use; less than one request per window becomes a longer window. */
export function simulationRate({ requests, windowSeconds }: RequestRate, mode: 'sample' | 'all'): RequestRate {
  const hundredths = requests * SHARE_PERCENT[mode];
  return hundredths >= 100
    ? { requests: Math.floor(hundredths / 100), windowSeconds }
    : { requests: 1, windowSeconds: Math.ceil((windowSeconds * 100) / hundredths) };
}

/** The alert about products of which G2A keeps more than configured. There is at least one. */
export function describeHigherFees(higherFees: readonly HigherFee[]): string {
  const worst = higherFees.reduce((a, b) => (lossMillionths(b) > lossMillionths(a) ? b : a));
  const feePercent = (((worst.price - worst.simulatedIncome) * 100) / worst.price).toFixed(2);
  return (
    `G2A keeps more than the configured fee of ${higherFees.length} products; most of product ${worst.g2aProductId}: ` +
    `a sale at ${formatCents(worst.price)} leaves ${formatCents(worst.simulatedIncome)} and not ` +
    `${formatCents(worst.configuredIncome)}, a fee of ${feePercent} %. Their prices are raised to keep the profit`
  );
}

function pricesOf(listing: ListingInput): readonly Cents[] {
  const decision = decideListing(listing);
  // Also what is not sold only for its fee is asked about again: the fee may fall.
  const cost = decision.isSellable ? decision.cost : (cheapestSupplier(listing.suppliers)?.unitPrice ?? null);
  return cost === null ? [] : pricesToSimulate(cost, listing);
}

/** Within a band the lowest price is asked about, for the answer counts upwards. */
function lowestPriceOfEachBand(prices: readonly Cents[]): ReadonlyMap<Cents, Cents> {
  const lowestByBand = new Map<Cents, Cents>();
  for (const price of prices) {
    const band = priceBandOf(price);
    const lowest = lowestByBand.get(band);
    if (lowest === undefined || price < lowest) lowestByBand.set(band, price);
  }
  return lowestByBand;
}

function isDue(known: StoredSimulation | undefined, price: Cents, now: number): boolean {
  if (known === undefined) return true;
  const ageMs = now - known.simulatedAt;
  if (known.failure !== null) return ageMs >= FAILURE_LIFE_MS;
  // What is said about a higher price of the band is only a guess about this one.
  return known.price > price || ageMs >= SIMULATION_LIFE_MS;
}

function higherFeeOf(
  g2aProductId: number,
  { terms }: ListingInput,
  stored: readonly StoredSimulation[],
): HigherFee | null {
  const { retail, business } = productSimulations(stored);
  const higher = [...retail, ...business]
    .map(({ price, income }: SimulatedIncome) => ({
      g2aProductId,
      price,
      simulatedIncome: income,
      configuredIncome: netIncome(price, terms),
    }))
    .filter(({ simulatedIncome, configuredIncome }) => simulatedIncome < configuredIncome);
  if (higher.length === 0) return null;
  return higher.reduce((a, b) => (lossMillionths(b) > lossMillionths(a) ? b : a));
}

/** How much less than configured is left, as a share of the price: for comparing only. */
function lossMillionths({ price, simulatedIncome, configuredIncome }: HigherFee): number {
  return Math.round(((configuredIncome - simulatedIncome) * 1_000_000) / price);
}

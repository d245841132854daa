import { Big } from 'big.js';
import { formatCents } from '../money/cents.js';
import type { Cents } from '../money/cents.js';

/** The marketplace's percentage fee as a fraction of the sale price, in whole millionths: 0.15 is 150,000. At least 0 and below 1. */
export type FeeRate = number & { readonly __brand: 'FeeRate' };

/** A profit as a percentage of cost, in whole millionths of the cost: 7.5 percent is 75,000. At least 0. */
export type ProfitPercent = number & { readonly __brand: 'ProfitPercent' };

/** The last two digits that a price may be raised to, because buyers like them. */
export const CHARM_ENDINGS = ['.99', '.49'] as const;
export type CharmEnding = (typeof CHARM_ENDINGS)[number];

/** The prices between which we may sell, both included; null is "no bound". */
export interface PriceBounds {
  readonly minPrice: Cents | null;
  readonly maxPrice: Cents | null;
}

/** Everything that turns the cost of one product into its price. Made by `resolveTerms`, which checks the ranges. */
export interface PricingTerms extends PriceBounds {
  /** The least that a sale must earn, whatever its cost. At least 0. */
  readonly fixedProfit: Cents;
  /** The least that a sale must earn as a share of its cost. The larger of the two profits counts. */
  readonly profitPercent: ProfitPercent;
  /** What the marketplace keeps of the sale price. */
  readonly feePercentage: FeeRate;
  /** What the marketplace keeps of each sale on top of its percentage. At least 0. */
  readonly feeFixed: Cents;
  /** Default: none. */
  readonly charmEnding?: CharmEnding | null;
}

/** What one product mapping says differently; a term that is null or absent keeps its default. */
export type PricingOverrides = { readonly [Term in keyof PricingTerms]?: PricingTerms[Term] | null };

/** Thrown when a term cannot be priced with. `field` is the name under which the person who must correct it knows it. */
export class InvalidPricingTermError extends Error {
  constructor(
    readonly field: string,
    readonly value: string,
    readonly reason: string,
  ) {
    super(`${field} "${value}" ${reason}`);
    this.name = 'InvalidPricingTermError';
  }
}

/** The whole of which rates are held in parts: six decimals are exact. */
export const RATE_SCALE = 1_000_000;

const DECIMAL = /^-?\d{1,9}(\.\d{1,12})?$/;

/**
 * Reads a fee such as "0.15": a fraction of the sale price, at least 0 and below 1, with at most 6 decimals.
 * @param field the name that the error uses, e.g. that of an environment variable.
 * @throws InvalidPricingTermError
 */
export function parseFeeRate(text: string, field = 'feePercentage'): FeeRate {
  const fee = parseDecimal(text, field);
  if (fee.gte(1)) throw new InvalidPricingTermError(field, text, 'must be below 1: it is a fraction, 0.15 means 15 %');
  return inMillionths(fee, text, field, 6) as FeeRate;
}

/**
 * Reads a profit such as "7.5": percent of cost, at least 0, with at most 9 digits before and 4 after the point.
 * @param field the name that the error uses.
 * @throws InvalidPricingTermError
 */
export function parseProfitPercent(text: string, field = 'profitPercent'): ProfitPercent {
  return inMillionths(parseDecimal(text, field).times('0.01'), text, field, 4) as ProfitPercent;
}

/**
 * The terms of one product: the defaults, replaced where the mapping says otherwise. Resolve the defaults with no
 * override once at start, so that a bad default is found there.
 * @throws InvalidPricingTermError for a negative amount, a bound that is not positive, and a minimum above the maximum.
 */
export function resolveTerms(defaults: PricingTerms, overrides: PricingOverrides = {}): PricingTerms {
  const terms: PricingTerms = {
    fixedProfit: overrides.fixedProfit ?? defaults.fixedProfit,
    profitPercent: overrides.profitPercent ?? defaults.profitPercent,
    feePercentage: overrides.feePercentage ?? defaults.feePercentage,
    feeFixed: overrides.feeFixed ?? defaults.feeFixed,
    minPrice: overrides.minPrice ?? defaults.minPrice,
    maxPrice: overrides.maxPrice ?? defaults.maxPrice,
    charmEnding: overrides.charmEnding ?? defaults.charmEnding ?? null,
  };
  for (const field of ['fixedProfit', 'feeFixed'] as const) {
    if (terms[field] < 0) throw new InvalidPricingTermError(field, formatCents(terms[field]), 'must not be negative');
  }
  for (const field of ['minPrice', 'maxPrice'] as const) {
    const bound = terms[field];
    if (bound !== null && bound <= 0) {
      throw new InvalidPricingTermError(field, formatCents(bound), 'must be above 0; leave it empty for no bound');
    }
  }
  if (terms.minPrice !== null && terms.maxPrice !== null && terms.minPrice > terms.maxPrice) {
    throw new InvalidPricingTermError(
      'minPrice',
      formatCents(terms.minPrice),
      `must not be above maxPrice ${formatCents(terms.maxPrice)}`,
    );
  }
  return terms;
}

/**
 * Reads a decimal that is not negative, with at most 9 digits before and 12 after the point.
 * @throws InvalidPricingTermError
 */
export function parseDecimal(text: string, field: string): Big {
  if (!DECIMAL.test(text)) throw new InvalidPricingTermError(field, text, 'is not a decimal number such as 0.15');
  const value = new Big(text);
  if (value.lt(0)) throw new InvalidPricingTermError(field, text, 'must not be negative');
  return value;
}

function inMillionths(fraction: Big, text: string, field: string, decimals: number): number {
  const millionths = fraction.times(RATE_SCALE);
  if (!millionths.round(0, Big.roundDown).eq(millionths)) {
    throw new InvalidPricingTermError(field, text, `has more than ${decimals} decimals`);
  }
  return millionths.toNumber();
}

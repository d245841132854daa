import { Big } from 'big.js';
import { cents } from '../money/cents.js';
import type { Cents } from '../money/cents.js';
import type { PriceBand } from '../money/price-band.js';
import { InvalidPricingTermError, parseDecimal } from './pricing-terms.js';

/** What a unit of a currency costs us in euros. Made by `parseExchangeRate`, which checks the ranges, or EURO. */
export interface ExchangeRate {
  /** ISO 4217. */
  readonly currency: string;
  /** Euros for one unit, before the margin; a decimal in its shortest form. Above 0, at most 1000. */
  readonly rate: string;
  /** Added to the rate for safety, in percent of it; a decimal in its shortest form. From 0 to 100. */
  readonly marginPercent: string;
  /** Rate and margin together, in whole parts of 10^-18 euro: exact for every rate and margin that is accepted. */
  readonly factor: bigint;
}

/** A rate as a person writes it: all decimals. */
export interface ExchangeRateTexts {
  readonly currency: string;
  readonly rate: string;
  readonly marginPercent: string;
}

const RATE_DECIMALS = 12;
const MARGIN_DECIMALS = 4;
/** A factor has the decimals of rate and margin, and two more because the margin is in percent. */
const ONE = 10n ** 18n;
const LARGEST_RATE = 1000;
const LARGEST_MARGIN_PERCENT = 100;

/** Money that is in euros already. */
export const EURO: ExchangeRate = { currency: 'EUR', rate: '1', marginPercent: '0', factor: ONE };

/**
 * Reads the rate of a foreign currency: euros for one unit, above 0 and at most 1000 with at most 12 decimals, and a margin
 * from 0 to 100 percent with at most 4. Currencies are those of ISO 4217, in any case.
 * @throws InvalidPricingTermError naming `currency`, `rate` or `margin`.
 */
export function parseExchangeRate({ currency, rate, marginPercent }: ExchangeRateTexts): ExchangeRate {
  const code = Intl.supportedValuesOf('currency').find((known) => known === currency.toUpperCase());
  if (code === undefined) throw new InvalidPricingTermError('currency', currency, 'is not an ISO 4217 currency');
  if (code === EURO.currency) throw new InvalidPricingTermError('currency', currency, 'needs no rate');
  const exactRate = withDecimals(rate, 'rate', RATE_DECIMALS);
  if (exactRate.eq(0)) throw new InvalidPricingTermError('rate', rate, 'must be above 0');
  if (exactRate.gt(LARGEST_RATE)) {
    throw new InvalidPricingTermError('rate', rate, `must be at most ${LARGEST_RATE}: it is euros for one ${code}`);
  }
  const exactMargin = withDecimals(marginPercent, 'margin', MARGIN_DECIMALS);
  if (exactMargin.gt(LARGEST_MARGIN_PERCENT)) {
    throw new InvalidPricingTermError('margin', marginPercent, `must be at most ${LARGEST_MARGIN_PERCENT} percent`);
  }
  const factor = exactRate.times(exactMargin.plus(100)).times(new Big(10).pow(RATE_DECIMALS + MARGIN_DECIMALS));
  return {
    currency: code,
    rate: exactRate.toFixed(),
    marginPercent: exactMargin.toFixed(),
    factor: BigInt(factor.toFixed()),
  };
}

/** What an amount in the rate's currency costs in euros, margin included: rounded up, so that no cost is understated. */
export function inEuro(amount: Cents, { factor }: ExchangeRate): Cents {
  const exact = BigInt(amount) * factor;
  const whole = exact / ONE;
  // bigint division cuts towards zero, which for a negative amount is up already.
  return cents(Number(exact % ONE > 0n ? whole + 1n : whole));
}

/** A price list in euros. The order of its prices stays: what is dearest, or cheapest, remains so. */
export function bandsInEuro(bands: readonly PriceBand[], rate: ExchangeRate): readonly PriceBand[] {
  if (rate.factor === ONE) return bands;
  return bands.map((band) => ({ ...band, unitPrice: inEuro(band.unitPrice, rate) }));
}

/**
 * Whether a rate differs from the one before it by more than this many percent of it: a slip of the pen (a point in the
 * wrong place, the reciprocal) rather than a day's news. Margins do not count.
 */
export function differsByMoreThan(percent: number, rate: ExchangeRate, before: ExchangeRate): boolean {
  const change = new Big(rate.rate).minus(before.rate).abs();
  return change.times(100).gt(new Big(before.rate).times(percent));
}

function withDecimals(text: string, field: string, decimals: number): Big {
  const value = parseDecimal(text, field);
  if (!value.round(decimals, Big.roundDown).eq(value)) {
    throw new InvalidPricingTermError(field, text, `has more than ${decimals} decimals`);
  }
  return value;
}

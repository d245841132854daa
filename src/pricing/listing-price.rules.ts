import { cents } from '../money/cents.js';
import type { Cents } from '../money/cents.js';
import { RATE_SCALE } from './pricing-terms.js';
import type { PricingTerms } from './pricing-terms.js';

// A rate is a whole number of millionths, so each formula is one division of integers: bigint makes it exact for any
// amount, and rounding looks at the remainder, never at a decimal expansion that was cut off.
const ONE = BigInt(RATE_SCALE);

/** What a sale at this cost must earn: the larger of the fixed profit and the percentage of cost, rounded up. */
export function requiredProfit(cost: Cents, terms: PricingTerms): Cents {
  const share = toCents(divideUp(BigInt(cost) * BigInt(terms.profitPercent), ONE));
  return share > terms.fixedProfit ? share : terms.fixedProfit;
}

/**
 * The lowest price whose net income pays the cost and the required profit:
 * (cost + profit + fixed fee) / (1 - fee), rounded up to the cent. One cent less would earn too little. Bounds and charm
 * endings come after it, see `priceWithinBounds`.
 */
export function listingPrice(cost: Cents, terms: PricingTerms): Cents {
  const toEarn = BigInt(cost) + BigInt(requiredProfit(cost, terms)) + BigInt(terms.feeFixed);
  return toCents(divideUp(toEarn * ONE, shareKept(terms)));
}

/** What is left to us of a sale at this price: rounded down, so that it is never promised too much. May be negative. */
export function netIncome(price: Cents, terms: PricingTerms): Cents {
  return toCents(divideDown(BigInt(price) * shareKept(terms), ONE) - BigInt(terms.feeFixed));
}

/** What the marketplace keeps of a sale at this price: rounded up, so that fee and net income add up to the price. */
export function marketplaceFee(price: Cents, terms: PricingTerms): Cents {
  return cents(price - netIncome(price, terms));
}

/**
 * Whether a sale at `salePrice` may be served by a key that costs `unitPrice`: what the sale brings after fees pays it,
 * but for at most `maxLoss` for this key (0 and above; 0 is "never at a loss").
 */
export function keepsFloor(unitPrice: Cents, salePrice: Cents, terms: PricingTerms, maxLoss: Cents): boolean {
  return unitPrice <= netIncome(salePrice, terms) + maxLoss;
}

function shareKept(terms: PricingTerms): bigint {
  return ONE - BigInt(terms.feePercentage);
}

function toCents(amount: bigint): Cents {
  return cents(Number(amount));
}

// bigint division cuts towards zero, for negative amounts as well. Divisors are positive.
function divideUp(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor > 0n ? quotient + 1n : quotient;
}

function divideDown(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}

import { cents } from '../money/cents.js';
import type { Cents } from '../money/cents.js';
import { RATE_SCALE } from './pricing-terms.js';
import type { PricingTerms } from './pricing-terms.js';

// A rate is a whole number of millionths, so each formula is one division of integers: bigint makes it exact for any
// amount, and rounding looks at the remainder, never at a decimal expansion that was cut off.
const ONE = BigInt(RATE_SCALE);

/** The profit that is a percentage of cost, rounded up. */
export function profitShare(cost: Cents, terms: PricingTerms): Cents {
  return toCents(divideUp(BigInt(cost) * BigInt(terms.profitPercent), ONE));
}

/** What a sale at this cost must earn: the larger of the fixed profit and the percentage of cost. */
export function requiredProfit(cost: Cents, terms: PricingTerms): Cents {
  const share = profitShare(cost, terms);
  return share > terms.fixedProfit ? share : terms.fixedProfit;
}

/**
 * The lowest price whose net income pays the cost and the required profit:
 * (cost + profit + fixed fee) / (1 - fee), rounded up to the cent. One cent less would earn too little. Bounds and charm
 * endings come after it, see `priceWithinBounds`.
 */
export function listingPrice(cost: Cents, terms: PricingTerms): Cents {
  return toCents(divideUp(toEarn(cost, terms) * ONE, shareKept(terms)));
}

/** The price before it is rounded up, for people: exact to a thousandth of a cent, with "…" where digits go on: "8.02352…". */
export function unroundedListingPrice(cost: Cents, terms: PricingTerms): string {
  const dividend = toEarn(cost, terms) * ONE * 1000n;
  const digits = String(dividend / shareKept(terms)).padStart(6, '0');
  const text = `${digits.slice(0, -5)}.${digits.slice(-5)}`;
  return dividend % shareKept(terms) === 0n ? text.replace(/0{1,3}$/, '') : `${text}…`;
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
 * Whether a sale may be served by a key that costs `unitPrice`: what the sale leaves after fees pays it, but for at most
 * `maxLoss` for this key (0 and above; 0 is "never at a loss").
 */
export function keepsFloor(unitPrice: Cents, saleIncome: Cents, maxLoss: Cents): boolean {
  return unitPrice <= saleIncome + maxLoss;
}

/** What the share that we keep must pay. */
function toEarn(cost: Cents, terms: PricingTerms): bigint {
  return BigInt(cost) + BigInt(requiredProfit(cost, terms)) + BigInt(terms.feeFixed);
}

function shareKept(terms: PricingTerms): bigint {
  return ONE - BigInt(terms.feePercentage);
}

function toCents(amount: bigint): Cents {
  return cents(Number(amount));
}

/** Integer division rounded up, where bigint cuts towards zero. The divisor is positive. */
export function divideUp(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor > 0n ? quotient + 1n : quotient;
}

/** Integer division rounded down, for negative amounts as well. The divisor is positive. */
export function divideDown(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}

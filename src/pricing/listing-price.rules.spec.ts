import { Big } from 'big.js';
import fc from 'fast-check';
import { cents, formatCents, NO_CENTS, parseCents } from '../money/cents.js';
import type { Cents } from '../money/cents.js';
import { keepsFloor, listingPrice, marketplaceFee, netIncome, requiredProfit } from './listing-price.rules.js';
import { parseFeeRate, parseProfitPercent } from './pricing-terms.js';
import type { FeeRate, PricingTerms, ProfitPercent } from './pricing-terms.js';

const RUNS = { numRuns: 10_000 };

function terms(fixedProfit: string, profitPercent: string, feePercentage: string, feeFixed: string): PricingTerms {
  return {
    fixedProfit: parseCents(fixedProfit, 'exact'),
    profitPercent: parseProfitPercent(profitPercent),
    feePercentage: parseFeeRate(feePercentage),
    feeFixed: parseCents(feeFixed, 'exact'),
    minPrice: null,
    maxPrice: null,
  };
}

const euros = (amount: number): Cents => cents(amount);
const anyCost = fc.oneof(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 1_000_000_000 })).map(euros);
// Millionths, over the whole range of each term; small and round values come up often enough to matter.
const anyFee = fc.oneof(
  fc.integer({ min: 0, max: 999_999 }),
  fc.integer({ min: 0, max: 99 }).map((p) => p * 10_000),
);
const anyPercent = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5_000_000 }));
const anyTerms: fc.Arbitrary<PricingTerms> = fc.record({
  fixedProfit: fc.integer({ min: 0, max: 100_000 }).map(euros),
  profitPercent: anyPercent.map((millionths) => millionths as ProfitPercent),
  feePercentage: anyFee.map((millionths) => millionths as FeeRate),
  feeFixed: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_000 })).map(euros),
  minPrice: fc.constant(null),
  maxPrice: fc.constant(null),
});

describe('the listing price', () => {
  it.each`
    what                                   | cost        | profit    | percent  | fee           | fixedFee  | price
    ${'8.0235… is rounded up'}             | ${'6.32'}   | ${'0.50'} | ${'0'}   | ${'0.15'}     | ${'0'}    | ${'8.03'}
    ${'bulk band of the same product'}     | ${'6.10'}   | ${'0.50'} | ${'0'}   | ${'0.15'}     | ${'0'}    | ${'7.77'}
    ${'no fee: cost and profit'}           | ${'6.32'}   | ${'0.50'} | ${'0'}   | ${'0'}        | ${'0'}    | ${'6.82'}
    ${'a fee of 99 %: a hundredfold'}      | ${'6.32'}   | ${'0.50'} | ${'0'}   | ${'0.99'}     | ${'0'}    | ${'682.00'}
    ${'three-decimal cost counts as 6.33'} | ${'6.325'}  | ${'0.50'} | ${'0'}   | ${'0.15'}     | ${'0'}    | ${'8.04'}
    ${'8.50 needs no rounding'}            | ${'6.30'}   | ${'0.50'} | ${'0'}   | ${'0.20'}     | ${'0'}    | ${'8.50'}
    ${'no profit wanted'}                  | ${'6.32'}   | ${'0'}    | ${'0'}   | ${'0.15'}     | ${'0'}    | ${'7.44'}
    ${'10 % of 20.00 is more than 0.50'}   | ${'20.00'}  | ${'0.50'} | ${'10'}  | ${'0.15'}     | ${'0'}    | ${'25.89'}
    ${'10 % of 2.00 is less than 0.50'}    | ${'2.00'}   | ${'0.50'} | ${'10'}  | ${'0.15'}     | ${'0'}    | ${'2.95'}
    ${'7.5 % of 6.33 is 0.47475, so 0.48'} | ${'6.33'}   | ${'0'}    | ${'7.5'} | ${'0'}        | ${'0'}    | ${'6.81'}
    ${'0.35 per sale on top'}              | ${'6.32'}   | ${'0.50'} | ${'0'}   | ${'0.15'}     | ${'0.35'} | ${'8.44'}
    ${'one cent is the least cost'}        | ${'0.01'}   | ${'0'}    | ${'0'}   | ${'0.15'}     | ${'0'}    | ${'0.02'}
    ${'a fee with six decimals'}           | ${'100.00'} | ${'1.00'} | ${'0'}   | ${'0.123457'} | ${'0'}    | ${'115.23'}
    ${'the highest fee'}                   | ${'6.32'}   | ${'0.50'} | ${'0'}   | ${'0.999999'} | ${'0'}    | ${'6820000.00'}
  `(
    '$what: cost $cost, profit $profit or $percent %, fee $fee + $fixedFee -> $price',
    ({ cost, profit, percent, fee, fixedFee, price }) => {
      const t = terms(profit, percent, fee, fixedFee);
      expect(formatCents(listingPrice(parseCents(cost, 'up'), t))).toBe(price);
    },
  );

  it('keeps the profit exactly, and one cent less would not', () => {
    fc.assert(
      fc.property(anyCost, anyTerms, (cost, t) => {
        // Both sides times 10^6, so that nothing is rounded: price * (1 - fee) against cost + profit + fixed fee.
        const keptOf = (price: number): bigint => BigInt(price) * BigInt(1_000_000 - t.feePercentage);
        const profit = BigInt(requiredProfit(cost, t));
        if (profit < BigInt(t.fixedProfit) || profit * 1_000_000n < BigInt(cost) * BigInt(t.profitPercent)) {
          throw new Error(`a profit of ${profit} is too little`);
        }
        const needed = (BigInt(cost) + profit + BigInt(t.feeFixed)) * 1_000_000n;
        const price = listingPrice(cost, t);
        return keptOf(price) >= needed && keptOf(price - 1) < needed;
      }),
      RUNS,
    );
  });

  it('agrees with decimal arithmetic', () => {
    const Up = Big();
    Up.DP = 0;
    Up.RM = Big.roundUp;
    fc.assert(
      fc.property(anyCost, anyTerms, (cost, t) => {
        const percentProfit = new Up(cost).times(t.profitPercent).div(1_000_000);
        const profit = percentProfit.gt(t.fixedProfit) ? percentProfit : new Up(t.fixedProfit);
        const shareKept = new Big(1).minus(new Big(t.feePercentage).times('0.000001'));
        const price = profit.plus(cost).plus(t.feeFixed).div(shareKept);
        return (
          String(requiredProfit(cost, t)) === profit.toFixed() && String(listingPrice(cost, t)) === price.toFixed()
        );
      }),
      RUNS,
    );
  });

  it('never falls when the cost rises', () => {
    fc.assert(
      fc.property(
        anyCost,
        anyTerms,
        fc.integer({ min: 1, max: 1_000 }),
        (cost, t, more) => listingPrice(cents(cost + more), t) > listingPrice(cost, t),
      ),
      RUNS,
    );
  });
});

describe('the net income of a sale', () => {
  it.each`
    price     | fee       | fixedFee  | kept      | income
    ${'8.03'} | ${'0.15'} | ${'0'}    | ${'1.21'} | ${'6.82'}
    ${'8.02'} | ${'0.15'} | ${'0'}    | ${'1.21'} | ${'6.81'}
    ${'8.44'} | ${'0.15'} | ${'0.35'} | ${'1.62'} | ${'6.82'}
    ${'5.00'} | ${'0'}    | ${'0'}    | ${'0.00'} | ${'5.00'}
    ${'5.00'} | ${'0.99'} | ${'0'}    | ${'4.95'} | ${'0.05'}
    ${'0.10'} | ${'0.15'} | ${'0.35'} | ${'0.37'} | ${'-0.27'}
  `(
    'is $income of $price at a fee of $fee + $fixedFee, which keeps $kept',
    ({ price, fee, fixedFee, kept, income }) => {
      const t = terms('0', '0', fee, fixedFee);
      expect(formatCents(netIncome(parseCents(price, 'exact'), t))).toBe(income);
      expect(formatCents(marketplaceFee(parseCents(price, 'exact'), t))).toBe(kept);
    },
  );

  it('at the listing price pays cost and profit, and at one cent less does not', () => {
    fc.assert(
      fc.property(anyCost, anyTerms, (cost, t) => {
        const price = listingPrice(cost, t);
        const profit = requiredProfit(cost, t);
        return netIncome(price, t) - cost >= profit && netIncome(cents(price - 1), t) - cost < profit;
      }),
      RUNS,
    );
  });

  it('and the fee add up to the price, neither of them rounded in our favor', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000_000 }).map(euros), anyTerms, (price, t) => {
        const fee = marketplaceFee(price, t);
        const exactFee = BigInt(price) * BigInt(t.feePercentage) + BigInt(t.feeFixed) * 1_000_000n;
        return (
          fee + netIncome(price, t) === price &&
          BigInt(fee) * 1_000_000n >= exactFee &&
          BigInt(fee - 1) * 1_000_000n < exactFee
        );
      }),
      RUNS,
    );
  });
});

describe('the floor of a sale', () => {
  const t = terms('0.50', '0', '0.15', '0');
  const sold = parseCents('8.03', 'exact'); // brings 6.82

  it.each`
    unitPrice | maxLoss   | keeps
    ${'6.32'} | ${'0'}    | ${true}
    ${'6.82'} | ${'0'}    | ${true}
    ${'6.83'} | ${'0'}    | ${false}
    ${'7.02'} | ${'0.20'} | ${true}
    ${'7.03'} | ${'0.20'} | ${false}
  `('of 8.03 for a key at $unitPrice with a loss of $maxLoss allowed: $keeps', ({ unitPrice, maxLoss, keeps }) => {
    expect(keepsFloor(parseCents(unitPrice, 'exact'), netIncome(sold, t), parseCents(maxLoss, 'exact'))).toBe(keeps);
  });

  it('is always kept by the supplier that the price was made from', () => {
    fc.assert(
      fc.property(anyCost, anyTerms, (cost, any) => {
        expect(keepsFloor(cost, netIncome(listingPrice(cost, any), any), NO_CENTS)).toBe(true);
      }),
    );
  });
});

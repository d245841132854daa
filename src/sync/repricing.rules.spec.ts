import type { DesiredState, OfferToPrice } from '../catalog/offers.queries.js';
import { cents } from '../money/cents.js';
import { EURO } from '../pricing/exchange-rate.rules.js';
import { parseFeeRate, parseProfitPercent } from '../pricing/pricing-terms.js';
import { type DesiredStateInput, off } from './desired-state.rules.js';
import { withoutOffer } from './explain-price.service.js';
import { costLimitedAbove, hashOfInputs, isPricingOutdated, pricedOffer, SIZE_HELD_MS } from './repricing.rules.js';

const NOW = 1_800_000_000_000;
const MAX_AGE_MS = 300_000;

const INPUT: DesiredStateInput = {
  defaults: {
    fixedProfit: cents(50),
    profitPercent: parseProfitPercent('0'),
    feePercentage: parseFeeRate('0.15'),
    feeFixed: cents(0),
    minPrice: null,
    maxPrice: null,
  },
  stockBuffer: 0,
  maxDeclaredStock: 10_000,
  pauseReason: null,
  priceSimulation: 'sample',
  rate: EURO,
  now: NOW,
  freshSince: NOW - MAX_AGE_MS,
  feedVouchesFrom: null,
  lowStock: 10,
  payable: null,
};

const forSale = (size: number, price = 803): DesiredState => ({
  ...off('for_sale'),
  priceCents: cents(price),
  businessPriceCents: cents(price),
  size,
  isActive: true,
});

function offer(shown: DesiredState, changes: Partial<OfferToPrice> = {}): OfferToPrice {
  return { ...withoutOffer(1, null), desired: shown, ...changes };
}

const heldSince = (sizeHeldSince: number | null): Partial<OfferToPrice> => ({
  lastPricing: { ...withoutOffer(1, null).lastPricing, sizeHeldSince },
});

describe('the size that is published', () => {
  it.each([
    ['stays where plenty becomes plenty', forSale(216), forSale(214), 216],
    ['stays where plenty becomes just enough', forSale(216), forSale(10), 216],
    ['is the new one below LOW_STOCK', forSale(216), forSale(9), 9],
    ['is the new one when it was below LOW_STOCK', forSale(9), forSale(216), 216],
    ['is the new one with another price', forSale(216), forSale(214, 804), 214],
    ['is the new one when the offer goes off', forSale(216), off('out_of_stock'), 0],
    ['is the new one when the offer comes back', off('out_of_stock'), forSale(216), 216],
  ])('%s', (_name, before, decided, size) => {
    const { desired, pricing } = pricedOffer(offer(before), decided, INPUT);
    expect(desired).toEqual({ ...decided, size });
    expect(pricing).toMatchObject(
      size === decided.size
        ? { sizeHeldSince: null, nextChangeAt: null }
        : { sizeHeldSince: NOW, nextChangeAt: NOW + SIZE_HELD_MS },
    );
  });

  it('waits from the first difference on, and not longer than 15 minutes', () => {
    const young = pricedOffer(offer(forSale(216), heldSince(NOW - SIZE_HELD_MS + 1)), forSale(213), INPUT);
    expect(young).toMatchObject({ desired: { size: 216 }, pricing: { nextChangeAt: NOW + 1 } });
    const old = pricedOffer(offer(forSale(216), heldSince(NOW - SIZE_HELD_MS)), forSale(213), INPUT);
    expect(old).toMatchObject({ desired: { size: 213 }, pricing: { sizeHeldSince: null } });
    const gone = pricedOffer(offer(forSale(216), heldSince(NOW - 1)), forSale(216), INPUT);
    expect(gone).toMatchObject({ desired: { size: 216 }, pricing: { sizeHeldSince: null } });
  });

  it('does not keep what else has changed from being known', () => {
    const decided = { ...forSale(214), costCents: cents(600) };
    expect(pricedOffer(offer(forSale(216)), decided, INPUT).desired).toEqual({ ...decided, size: 216 });
  });
});

describe('the next change by the clock', () => {
  const suppliedBy = (...agesMs: number[]): Partial<OfferToPrice> => {
    const suppliers = agesMs.map((ageMs) => ({
      cwsProductId: 'supplier',
      bands: [],
      unconfirmedBands: null,
      available: 5,
      freshAsOf: NOW - ageMs,
      requestedAt: NOW - ageMs,
    }));
    const mapping = {
      g2aProductId: 1,
      isEnabled: true,
      fixedProfitCents: null,
      profitPercent: null,
      feePercentage: null,
      feeFixedCents: null,
      charmEnding: null,
      minPriceCents: null,
      maxPriceCents: null,
      unseenSuppliers: [],
      suppliers,
    };
    return { mapping };
  };
  const pricing = (changes: Partial<OfferToPrice>, input: Partial<DesiredStateInput> = {}) =>
    pricedOffer(offer(forSale(5), changes), forSale(5), { ...INPUT, ...input }).pricing;

  it('is when the first of the suppliers that nobody vouches for becomes stale', () => {
    expect(pricing(suppliedBy(1000, 5000, MAX_AGE_MS + 1))).toMatchObject({
      nextChangeAt: NOW - 5000 + MAX_AGE_MS,
      staleSuppliers: 1,
    });
  });

  it('is none while the feed vouches for them', () => {
    expect(pricing(suppliedBy(1000, 2000), { feedVouchesFrom: NOW - 2000 }).nextChangeAt).toBeNull();
    expect(pricing(suppliedBy(1000, 2001), { feedVouchesFrom: NOW - 2000 }).nextChangeAt).toBe(NOW - 2001 + MAX_AGE_MS);
  });

  it('is a release, should that be sooner', () => {
    expect(pricing({ ...suppliedBy(1000), nextReleaseAt: NOW + 1 }).nextChangeAt).toBe(NOW + 1);
  });
});

describe('how an offer was priced', () => {
  const last = { repriceAt: NOW + 1000, heldPieces: null, staleSuppliers: 0, sizeHeldSince: null };
  const same = { nextChangeAt: null, heldPieces: null, staleSuppliers: 0, sizeHeldSince: null };

  it.each([
    ['nothing is different', {}, {}, false],
    ['its time has come', { repriceAt: NOW }, {}, true],
    ['something will change sooner', {}, { nextChangeAt: NOW + 999 }, true],
    ['something will change later', {}, { nextChangeAt: NOW + 1001 }, false],
    ['other pieces are held', {}, { heldPieces: 'supplier=1' }, true],
    ['a supplier is stale', {}, { staleSuppliers: 1 }, true],
    ['its size is held', {}, { sizeHeldSince: NOW }, true],
  ])('is written anew or not: %s', (_name, before, now, isOutdated) => {
    expect(isPricingOutdated({ ...last, ...before }, { ...same, ...now }, NOW)).toBe(isOutdated);
  });
});

describe('what applies to every offer', () => {
  const changed = (changes: Partial<DesiredStateInput>, pricer = 'me'): boolean =>
    hashOfInputs({ ...INPUT, ...changes }, pricer) !== hashOfInputs(INPUT, 'me');

  it('has changed with a setting, a pause, the exchange rate, whether the feed vouches, and who prices', () => {
    expect(changed({ stockBuffer: 1 })).toBe(true);
    expect(changed({ defaults: { ...INPUT.defaults, fixedProfit: cents(51) } })).toBe(true);
    expect(changed({ pauseReason: 'paused' })).toBe(true);
    expect(changed({ rate: { ...EURO, factor: EURO.factor + 1n } })).toBe(true);
    expect(changed({ feedVouchesFrom: NOW })).toBe(true);
    expect(changed({}, 'another')).toBe(true);
  });

  it('has not changed with the time alone, nor with the balance', () => {
    expect(changed({ now: NOW + 1, freshSince: NOW, payable: cents(1) })).toBe(false);
    const input = { ...INPUT, feedVouchesFrom: NOW };
    expect(hashOfInputs({ ...input, feedVouchesFrom: NOW + 1 }, 'me')).toBe(hashOfInputs(input, 'me'));
  });

  it.each([
    ['the same', 5000, 5000, null],
    ['lower', 5000, 4009, 400],
    ['higher', 4009, 5000, 400],
    ['known now', null, 4000, 400],
    ['not known any more', 4000, null, 400],
    ['overdrawn', 4000, -1, 0],
  ])('a balance that is %s touches what costs more than its share of LOW_STOCK keys', (_name, before, now, cost) => {
    const amount = (value: number | null) => (value === null ? null : cents(value));
    const last = { hash: '', payable: amount(before) };
    expect(costLimitedAbove(last, { ...INPUT, payable: amount(now) })).toBe(cost);
    expect(costLimitedAbove(last, { ...INPUT, payable: amount(now), lowStock: 0 })).toBeNull();
  });
});

import type { OfferToPrice } from '../catalog/offers.queries.js';
import type { StoredSimulation } from '../catalog/price-simulations.queries.js';
import { cents } from '../money/cents.js';
import { EURO } from '../pricing/exchange-rate.rules.js';
import { parseFeeRate, parseProfitPercent } from '../pricing/pricing-terms.js';
import { desiredState, type DesiredStateInput, off } from './desired-state.rules.js';
import {
  describeHigherFees,
  FAILURE_LIFE_MS,
  mostDue,
  planSimulations,
  SIMULATION_LIFE_MS,
  simulationRate,
} from './simulation-plan.rules.js';
import { PLAN_LIFE_MS, SimulationQueue } from './simulation-queue.js';

const NOW = 1_800_000_000_000;

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
  maxDeclaredStock: 1000,
  pauseReason: null,
  priceSimulation: 'sample',
  rate: EURO,
  now: NOW,
  freshSince: 0,
  feedVouchesFrom: 0,
  lowStock: 10,
  payable: null,
};

/** An offer of a product that costs 6.32: 8.03 by the configured fee. */
function offer(g2aProductId: number, simulations: readonly StoredSimulation[], isEnabled = true): OfferToPrice {
  return {
    g2aOfferId: `offer-${g2aProductId}`,
    g2aProductId,
    deactivationReason: null,
    visibility: 'all',
    marketplaceBounds: { minPrice: null, maxPrice: null },
    simulations,
    desired: off('not_priced_yet'),
    lastPricing: { repriceAt: 0, heldPieces: null, staleSuppliers: 0, sizeHeldSince: null },
    heldPieces: null,
    nextReleaseAt: null,
    mapping: {
      g2aProductId,
      isEnabled,
      fixedProfitCents: null,
      profitPercent: null,
      feePercentage: null,
      feeFixedCents: null,
      minPriceCents: null,
      maxPriceCents: null,
      charmEnding: null,
      unseenSuppliers: [],
      suppliers: [
        {
          cwsProductId: 'supplier',
          bands: [{ fromQuantity: 1, toQuantity: null, unitPrice: cents(632) }],
          unconfirmedBands: null,
          available: 10,
          freshAsOf: NOW,
          requestedAt: NOW,
        },
      ],
    },
  };
}

function said(price: number, income: number, changes: Partial<StoredSimulation> = {}): StoredSimulation {
  return {
    price: cents(price),
    income: cents(income),
    businessIncome: cents(income),
    failure: null,
    simulatedAt: NOW,
    ...changes,
  };
}

const FAILED = { income: null, businessIncome: null, failure: 'HTTP 500' };

describe('the prices about which G2A is asked', () => {
  it.each<[string, StoredSimulation[], number[]]>([
    ['are those never asked about', [], [803]],
    ['are none while the answer is new', [said(801, 680)], []],
    ['are those whose answer is a week old', [said(803, 682, { simulatedAt: NOW - SIMULATION_LIFE_MS })], [803]],
    ['are none while a failure is less than an hour old', [said(803, 0, FAILED)], []],
    ['are those that failed an hour ago', [said(803, 0, { ...FAILED, simulatedAt: NOW - FAILURE_LIFE_MS })], [803]],
    ['are those that a price was raised to', [said(803, 642)], [854]],
    ['are those below the one of their band that was asked about', [said(809, 687)], [803]],
    ['are none when that question failed just now', [said(809, 687, { failure: 'HTTP 500' })], []],
    ['are not those of a band that no price is in any more', [said(803, 682), said(950, 700, { simulatedAt: 0 })], []],
  ])('%s', (_, simulations, prices) => {
    const { due } = planSimulations([offer(1, simulations)], INPUT);
    expect(due).toEqual(prices.map((price) => expect.objectContaining({ g2aProductId: 1, price })));
  });

  it('come with those never asked about first, then the oldest: each has its turn', () => {
    const old = (ageMs: number) => [said(803, 682, { simulatedAt: NOW - SIMULATION_LIFE_MS - ageMs })];
    const { due } = planSimulations([offer(1, old(1)), offer(2, old(5)), offer(3, []), offer(4, old(3))], INPUT);
    expect(mostDue(due, 10).map(({ g2aProductId }) => g2aProductId)).toEqual([3, 2, 4, 1]);
  });

  it('are of each band the lowest of its prices, for the answer counts upwards', () => {
    // 803 * 682 / 638 is 858.3…, for companies 803 * 682 / 640 is 855.7…
    const { due } = planSimulations([offer(1, [said(803, 638, { businessIncome: cents(640) })])], INPUT);
    expect(due).toMatchObject([{ g2aProductId: 1, price: 856 }]);
  });

  it('are no more than may be asked, the oldest first', () => {
    const offers = [offer(1, [said(803, 682, { simulatedAt: 5 })]), offer(2, []), offer(3, [])];
    const { due } = planSimulations(offers, INPUT);
    expect(mostDue(due, 2).map(({ g2aProductId }) => g2aProductId)).toEqual([2, 3]);
  });

  it('are none of a product that is not sold whatever its price', () => {
    expect(planSimulations([offer(1, [], false), { ...offer(2, []), mapping: null }], INPUT).due).toEqual([]);
  });
});

describe('the queue of prices to be asked about', () => {
  const taken = (queue: SimulationQueue) => {
    const products: number[] = [];
    for (let price = queue.take(); price !== undefined; price = queue.take()) products.push(price.g2aProductId);
    return products;
  };

  it('goes through some of the offers at a time, and tells of the fees of all of them after the last', () => {
    const queue = new SimulationQueue(10);
    expect(queue.position).toBeNull();
    queue.add([offer(1, [said(803, 642)]), offer(2, [])], INPUT);
    expect(queue.goneThroughTo(2)).toBeNull();
    expect(taken(queue)).toEqual([1, 2]);
    expect(queue.position).toBe(2);
    queue.add([offer(3, [said(803, 642)])], INPUT);
    const higherFees = queue.goneThroughTo(null);
    expect(higherFees?.map(({ g2aProductId }) => g2aProductId)).toEqual([1, 3]);
    expect(taken(queue)).toEqual([3]);
    expect(queue.position).toBeNull();
    expect(queue.goneThroughTo(null)).toEqual([]);
  });

  it('is planned anew only once it is used up, or some minutes old', () => {
    const queue = new SimulationQueue(10);
    expect(queue.isDue(NOW)).toBe(true);
    queue.begin(NOW);
    queue.add([offer(1, []), offer(2, [])], INPUT);
    const first = queue.take();
    expect(queue.isDue(NOW + PLAN_LIFE_MS - 1)).toBe(false);
    expect(queue.isDue(NOW + PLAN_LIFE_MS)).toBe(true);
    queue.putBack(first!);
    expect(taken(queue)).toEqual([1, 2]);
    expect(queue.isDue(NOW)).toBe(true);
  });

  it('grows by some offers at a time, and keeps what is most due of them all', () => {
    const queue = new SimulationQueue(2);
    const asked = (simulatedAt: number) => [said(803, 682, { simulatedAt })];
    queue.begin(NOW);
    queue.add([offer(1, asked(3)), offer(2, asked(1))], INPUT);
    queue.add([offer(3, asked(2))], INPUT);
    queue.add([offer(4, [])], INPUT);
    expect(taken(queue)).toEqual([4, 2]);
  });
});

describe('the alert about fees', () => {
  it('counts the products and names the one with the highest fee', () => {
    const offers = [offer(1, [said(803, 642)]), offer(2, [said(803, 682)]), offer(3, [said(803, 600)])];
    const { higherFees } = planSimulations(offers, INPUT);
    expect(higherFees).toHaveLength(2);
    expect(describeHigherFees(higherFees)).toBe(
      'G2A keeps more than the configured fee of 2 products; most of product 3: a sale at 8.03 leaves 6.00 and not 6.82, ' +
        'a fee of 25.28 %. Their prices are raised to keep the profit',
    );
  });
});

describe('what an offer shows', () => {
  it.each<[string, Partial<DesiredStateInput>, Partial<OfferToPrice>, string, number | null]>([
    [
      'waits for the first answer when all prices are simulated',
      { priceSimulation: 'all' },
      {},
      'awaiting_simulation',
      null,
    ],
    ['waits for none when a sample is', {}, {}, 'for_sale', 803],
    [
      'waits no longer once the question failed',
      { priceSimulation: 'all' },
      { simulations: [said(803, 0, FAILED)] },
      'for_sale',
      803,
    ],
    [
      'waits when only another band was asked about',
      { priceSimulation: 'all' },
      { simulations: [said(803, 642)] },
      'awaiting_simulation',
      null,
    ],
    [
      'waits no longer once the band that it was raised into was asked about',
      { priceSimulation: 'all' },
      { simulations: [said(803, 642), said(854, 683)] },
      'for_sale',
      853,
    ],
    [
      'waits when only the price for companies was not asked about',
      { priceSimulation: 'all' },
      { simulations: [said(803, 682, { businessIncome: cents(642) })] },
      'awaiting_simulation',
      null,
    ],
    [
      'does not wait for a price that nobody sees',
      { priceSimulation: 'all' },
      { visibility: 'retail', simulations: [said(803, 682, { businessIncome: cents(642) })] },
      'for_sale',
      803,
    ],
    [
      'does not wait when it is for sale already',
      { priceSimulation: 'all' },
      { desired: { ...off('for_sale'), isActive: true } },
      'for_sale',
      803,
    ],
    ['is raised by an answer', {}, { simulations: [said(803, 642)] }, 'for_sale', 854],
    [
      'is not raised when simulations are off',
      { priceSimulation: 'off' },
      { simulations: [said(803, 642)] },
      'for_sale',
      803,
    ],
    [
      'is nothing above the limit of G2A',
      {},
      { marketplaceBounds: { minPrice: null, maxPrice: cents(800) } },
      'price_above_maximum',
      null,
    ],
    [
      'is at least the limit of G2A',
      {},
      { marketplaceBounds: { minPrice: cents(900), maxPrice: null } },
      'for_sale',
      900,
    ],
  ])('%s', (_, input, changes, reason, price) => {
    const desired = desiredState({ ...offer(1, []), ...changes }, { ...INPUT, ...input });
    expect(desired).toMatchObject({ reason, priceCents: price, businessPriceCents: price, isActive: price !== null });
  });
});

describe('the share of the request rate', () => {
  it.each([
    ['sample', 600, 60, 30, 60],
    ['all', 600, 60, 180, 60],
    ['sample', 10, 60, 1, 120],
    ['sample', 39, 60, 1, 60],
  ] as const)('of %s of %i requests in %i s is %i in %i s', (mode, requests, windowSeconds, share, shareSeconds) => {
    expect(simulationRate({ requests, windowSeconds }, mode)).toEqual({ requests: share, windowSeconds: shareSeconds });
  });
});

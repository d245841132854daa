import { jest } from '@jest/globals';
import { cwsProductId, g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import type { ProductFee } from '../sandbox/g2a-marketplace.js';
import { DesiredStateService } from '../src/sync/desired-state.service.js';
import { ReconcileOffersService } from '../src/sync/reconcile-offers.service.js';
import { SimulatePricesService } from '../src/sync/simulate-prices.service.js';
import { SimulationQueue } from '../src/sync/simulation-queue.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

const SIMULATIONS = 'GET /v3/pricing/simulations';

interface Row {
  price: number;
  income: number | null;
  business: number | null;
  failed: boolean;
}

/** A shop that sells these games, each costing 6.32: 8.03 by the configured fee of 15 %. */
async function startShop(games: readonly number[], environment: Record<string, string> = {}): Promise<Keyferry> {
  const keyferry = await startKeyferry({ cws: { products: 10 }, g2a: { products: 10 }, environment });
  for (const game of games) {
    keyferry.cws.supplier.setProduct(cwsProductId(game), {
      quantity: 20,
      prices: [{ value: 6.32, from: 1, to: null }],
    });
  }
  await mapGames(keyferry, games);
  return keyferry;
}

function shown(keyferry: Keyferry, game: number): { active: boolean; retail: number; business: number } {
  const { active, retailCents, businessCents } = keyferry.g2a.marketplace.offer(g2aOfferId(game));
  return { active, retail: retailCents, business: businessCents };
}

async function reason(keyferry: Keyferry, game: number): Promise<unknown> {
  const rows = await keyferry.sql<{ desired_reason: string }[]>(
    'SELECT desired_reason FROM offers WHERE g2a_product_id = $1',
    [g2aProductId(game)],
  );
  return rows[0]?.desired_reason;
}

async function simulations(keyferry: Keyferry, game: number): Promise<Row[]> {
  return keyferry.sql<Row[]>(
    `SELECT price_cents AS price, income_cents AS income, business_income_cents AS business, failure IS NOT NULL AS failed
     FROM price_simulations WHERE g2a_product_id = $1 ORDER BY price_band`,
    [g2aProductId(game)],
  );
}

async function openAlert(keyferry: Keyferry): Promise<string | null> {
  const rows = await keyferry.sql<{ message: string }[]>(
    `SELECT message FROM alerts WHERE kind = 'real_fee_higher' AND cleared_at IS NULL`,
  );
  return rows[0]?.message ?? null;
}

function asked(keyferry: Keyferry): number {
  return keyferry.g2a.traffic.requests().filter(({ route }) => route === SIMULATIONS).length;
}

describe('prices by the word of G2A', () => {
  let keyferry: Keyferry;
  const setFee = (game: number, fee: ProductFee): void => {
    keyferry.g2a.marketplace.setFee(g2aProductId(game), fee);
  };

  beforeAll(async () => {
    // A share that is never used up here.
    keyferry = await startShop([1, 2, 3, 4, 5, 6], { G2A_RATE: '4000/60s' });
    setFee(2, { feePercent: 20 });
    setFee(3, { feePercent: 15, businessFeePercent: 25 });
    setFee(4, { lie: { income: 'plenty' } });
    setFee(5, { feePercentByCountry: { PL: 15, DE: 18, FR: 10 } });
    setFee(6, { feePercent: 15, feeFixedCents: 30 });
    await keyferry.sync();
  });
  afterAll(() => keyferry.stop());

  it('first go out by the configured fee, and are asked about after that', async () => {
    const patches = keyferry.g2a.marketplace.patches();
    expect(patches.map(({ body }) => body.variant.price)).toEqual(Array(6).fill({ retail: '8.03', business: '8.03' }));
    expect(await simulations(keyferry, 1)).toEqual([{ price: 803, income: 682, business: 682, failed: false }]);
  });

  it('are raised in the next round to the smallest cent that keeps the profit, consumers and companies apart', async () => {
    await keyferry.sync();
    expect(shown(keyferry, 1)).toEqual({ active: true, retail: 803, business: 803 });
    // 20 % of 8.03 leave 6.42, and 8.03 * 6.82 / 6.42 is 8.5303…
    expect(shown(keyferry, 2)).toEqual({ active: true, retail: 854, business: 854 });
    // 25 % leave 6.02: 9.0970…
    expect(shown(keyferry, 3)).toEqual({ active: true, retail: 803, business: 910 });
    // 18 % in the worst country leave 6.58: 8.3229…
    expect(shown(keyferry, 5)).toEqual({ active: true, retail: 833, business: 803 });
  });

  it('are asked about again where they were raised to', async () => {
    expect(await simulations(keyferry, 2)).toMatchObject([
      { price: 803, income: 642 },
      { price: 854, income: 683 },
    ]);
    await keyferry.sync();
    // By the answer about 8.54, of which 6.83 are left, one cent less is enough: 8.54 * 6.82 / 6.83 is 8.5274…
    expect(shown(keyferry, 2)).toEqual({ active: true, retail: 853, business: 853 });
    // What was said about a higher price is only a guess about this one.
    expect(await simulations(keyferry, 2)).toMatchObject([
      { price: 803, income: 642 },
      { price: 853, income: 682 },
    ]);
    // 15 % and 0.30 of 8.03 leave 6.52, a share by which 8.40 is needed; there they leave 6.84.
    expect(shown(keyferry, 6).retail).toBe(840);
    expect((await simulations(keyferry, 6)).map(({ price, income }) => [price, income])).toEqual([
      [803, 652],
      [840, 684],
    ]);
  });

  it('settle: nothing is asked and nothing is sent any more', async () => {
    await keyferry.sync();
    await keyferry.sync();
    keyferry.g2a.traffic.forget();
    await keyferry.sync();
    expect(asked(keyferry)).toBe(0);
    expect(keyferry.g2a.traffic.requests().filter(({ method }) => method === 'PATCH')).toEqual([]);
  });

  it('stay at the configured fee when the answer is not understood, and the question is repeated after an hour', async () => {
    expect(shown(keyferry, 4)).toEqual({ active: true, retail: 803, business: 803 });
    expect(await simulations(keyferry, 4)).toEqual([{ price: 803, income: null, business: null, failed: true }]);
    setFee(4, {});
    await keyferry.sync();
    expect(await simulations(keyferry, 4)).toMatchObject([{ failed: true }]);
    await keyferry.sql(
      `UPDATE price_simulations SET simulated_at = now() - interval '61 minutes' WHERE failure IS NOT NULL`,
    );
    await keyferry.sync();
    expect(await simulations(keyferry, 4)).toEqual([{ price: 803, income: 682, business: 682, failed: false }]);
  });

  it('are renewed after a week; an answer that is not renewed goes on counting', async () => {
    const age = () =>
      keyferry.sql(`UPDATE price_simulations SET simulated_at = now() - interval '8 days' WHERE g2a_product_id = $1`, [
        g2aProductId(2),
      ]);
    await age();
    keyferry.g2a.traffic.behaviors.set({ name: 'answers500', route: SIMULATIONS });
    await keyferry.sync();
    keyferry.g2a.traffic.behaviors.clear({});
    await keyferry.sync();
    expect(await simulations(keyferry, 2)).toMatchObject([
      { income: 642, failed: true },
      { income: 682, failed: true },
    ]);
    expect(shown(keyferry, 2)).toMatchObject({ retail: 853 });

    setFee(2, { feePercent: 15 });
    await age();
    await keyferry.sync();
    await keyferry.sync();
    expect(shown(keyferry, 2)).toEqual({ active: true, retail: 803, business: 803 });
  });

  it('know the fee of companies on, when G2A does not tell it any more', async () => {
    expect(await simulations(keyferry, 3)).toMatchObject([{ price: 803, business: 602 }, { price: 910 }]);
    // About 8.05: 602 * 805 / 803 is 603.4…
    setFee(3, { lie: { income: { ALL: '6.84' } } });
    await keyferry.sql(
      `UPDATE price_simulations SET simulated_at = now() - interval '8 days' WHERE g2a_product_id = $1`,
      [g2aProductId(3)],
    );
    keyferry.g2a.marketplace.edit(g2aOfferId(3), { priceLimit: { min: '8.05' } });
    await keyferry.app.get(ReconcileOffersService).readAll();
    await keyferry.sync();
    expect(await simulations(keyferry, 3)).toMatchObject([{ price: 805, income: 684, business: 603 }, { price: 910 }]);
    await keyferry.sync();
    expect(shown(keyferry, 3)).toMatchObject({ retail: 805, business: 910 });
    keyferry.g2a.marketplace.edit(g2aOfferId(3), { priceLimit: { min: '0.01' } });
    await keyferry.app.get(ReconcileOffersService).readAll();
    setFee(3, { feePercent: 15, businessFeePercent: 25 });
  });

  it('are told of when the real fee is higher, until it is not', async () => {
    expect(await openAlert(keyferry)).toMatch(/of 3 products; most of product \d+: a sale at \d\.\d\d leaves/);
    await keyferry.sql('DELETE FROM price_simulations');
    for (const game of [3, 5, 6]) setFee(game, {});
    await keyferry.sync();
    await keyferry.sync();
    expect(await openAlert(keyferry)).toBeNull();
    expect(shown(keyferry, 3)).toEqual({ active: true, retail: 803, business: 803 });
  });

  it('are sent and confirmed each by itself', async () => {
    setFee(3, { feePercent: 15, businessFeePercent: 25 });
    await keyferry.sql('DELETE FROM price_simulations WHERE g2a_product_id = $1', [g2aProductId(3)]);
    await keyferry.sync();
    await keyferry.sync();
    const patch = keyferry.g2a.marketplace.patches(g2aOfferId(3)).at(-1);
    expect(patch!.body.variant.price).toEqual({ retail: '8.03', business: '9.10' });
    const state = () =>
      keyferry.sql(
        `SELECT sent_price_cents, sent_business_price_cents, observed_retail_price_cents, observed_business_price_cents
         FROM offers WHERE g2a_product_id = $1`,
        [g2aProductId(3)],
      );
    expect(await state()).toMatchObject([{ sent_price_cents: 803, sent_business_price_cents: 910 }]);
    // Someone undoes the business price: the change is not confirmed, and counts as lost later.
    keyferry.g2a.marketplace.edit(g2aOfferId(3), { businessPrice: '8.00' });
    await keyferry.app.get(ReconcileOffersService).readAll();
    expect(await state()).toMatchObject([{ sent_business_price_cents: 910, observed_business_price_cents: 800 }]);
    await keyferry.sql(`UPDATE offers SET sent_at = now() - interval '3 minutes' WHERE sent_at IS NOT NULL`);
    await keyferry.app.get(ReconcileOffersService).readAll();
    await keyferry.sync();
    expect(shown(keyferry, 3)).toMatchObject({ retail: 803, business: 910 });
    await keyferry.app.get(ReconcileOffersService).readAll();
    expect(await state()).toEqual([
      {
        sent_price_cents: null,
        sent_business_price_cents: null,
        observed_retail_price_cents: 803,
        observed_business_price_cents: 910,
      },
    ]);
  });

  it('keep the limits of G2A, and are not sold beyond them', async () => {
    keyferry.g2a.marketplace.edit(g2aOfferId(1), { priceLimit: { min: '9.00', max: '20.00' } });
    keyferry.g2a.marketplace.edit(g2aOfferId(3), { priceLimit: { max: '9.00' } });
    await keyferry.app.get(ReconcileOffersService).readAll();
    await keyferry.sync();
    expect(shown(keyferry, 1)).toEqual({ active: true, retail: 900, business: 900 });
    expect(shown(keyferry, 3)).toMatchObject({ active: false });
    expect(await reason(keyferry, 3)).toBe('price_above_maximum');
  });
});

describe('with PRICE_SIMULATION=all a first price', () => {
  it('goes out only after its simulation', async () => {
    const keyferry = await startShop([1], { PRICE_SIMULATION: 'all' });
    try {
      keyferry.g2a.marketplace.setFee(g2aProductId(1), { feePercent: 20 });
      await keyferry.sync();
      expect(shown(keyferry, 1)).toMatchObject({ active: false });
      expect(await reason(keyferry, 1)).toBe('awaiting_simulation');
      // Raised to 8.54, of which nothing is known yet either.
      await keyferry.sync();
      expect(shown(keyferry, 1)).toMatchObject({ active: false });
      expect(await reason(keyferry, 1)).toBe('awaiting_simulation');
      await keyferry.sync();
      expect(shown(keyferry, 1)).toEqual({ active: true, retail: 853, business: 853 });
      const prices = keyferry.g2a.marketplace.patches(g2aOfferId(1)).flatMap(({ body }) => body.variant.price ?? []);
      expect(prices).toEqual([{ retail: '8.53', business: '8.53' }]);
    } finally {
      await keyferry.stop();
    }
  });

  it('goes out by the configured fee when the simulation failed', async () => {
    const keyferry = await startShop([1], { PRICE_SIMULATION: 'all' });
    try {
      keyferry.g2a.traffic.behaviors.set({ name: 'answers500', route: SIMULATIONS });
      await keyferry.sync();
      expect(await reason(keyferry, 1)).toBe('awaiting_simulation');
      await keyferry.sync();
      expect(shown(keyferry, 1)).toEqual({ active: true, retail: 803, business: 803 });
    } finally {
      await keyferry.stop();
    }
  });
});

describe('simulations', () => {
  it('stay within their share of the request rate, and every product gets its turn', async () => {
    // 5 % of 40 requests in a minute.
    const keyferry = await startShop([1, 2, 3], { G2A_RATE: '40/60s' });
    try {
      await keyferry.sync();
      await keyferry.sync();
      expect(asked(keyferry)).toBe(2);
      expect(await keyferry.sql('SELECT count(*) FROM price_simulations')).toEqual([{ count: 2 }]);
    } finally {
      await keyferry.stop();
    }
  });

  it('go through many offers by 50 at once: customers do not wait for that', async () => {
    const keyferry = await startShop([1]);
    let isOver = false;
    try {
      await keyferry.sync();
      await keyferry.sql(
        `INSERT INTO offers (g2a_offer_id, g2a_product_id, observed_is_active, observed_at)
         SELECT gen_random_uuid(), 20000000000000 + number, false, now() FROM generate_series(1, 149) number`,
      );
      const planned = jest.spyOn(SimulationQueue.prototype, 'add');
      const turns: number[] = [];
      const countTurns = (): void => {
        turns.push(planned.mock.calls.length);
        if (!isOver) setImmediate(countTurns);
      };
      countTurns();
      await keyferry.app.get(SimulatePricesService).simulate();
      expect(planned.mock.calls.map(([offers]) => offers.length)).toEqual([50, 50, 50]);
      // Whoever had come by then was served between them.
      expect(turns).toEqual(expect.arrayContaining([0, 1, 2, 3]));
    } finally {
      isOver = true;
      jest.restoreAllMocks();
      await keyferry.stop();
    }
  });

  it('that get no answer at all neither hold up nor break a round', async () => {
    const keyferry = await startShop([1, 2, 3]);
    try {
      keyferry.g2a.traffic.behaviors.set({ name: 'losesRequest', route: SIMULATIONS });
      await keyferry.sync();
      for (const game of [1, 2, 3]) expect(shown(keyferry, game)).toEqual({ active: true, retail: 803, business: 803 });
      expect(await keyferry.sql(`SELECT kind FROM alerts WHERE cleared_at IS NULL`)).toEqual([]);
    } finally {
      await keyferry.stop();
    }
  });

  it('are remembered however old while there is a mapping or an offer, and forgotten with the last of them', async () => {
    const keyferry = await startShop([1, 2]);
    const known = async () => {
      const rows = await keyferry.sql<{ id: number }[]>(
        'SELECT g2a_product_id AS id FROM price_simulations ORDER BY 1',
      );
      return rows.map(({ id }) => id);
    };
    try {
      keyferry.g2a.marketplace.setFee(g2aProductId(1), { feePercent: 20 });
      await keyferry.sync();
      keyferry.cws.supplier.setProduct(cwsProductId(1), { quantity: 0, prices: [{ value: 6.32, from: 1, to: null }] });
      keyferry.cws.supplier.setProduct(cwsProductId(2), { quantity: 0, prices: [{ value: 6.32, from: 1, to: null }] });
      keyferry.g2a.traffic.behaviors.set({ name: 'answers500', route: SIMULATIONS });
      await keyferry.sql(`UPDATE price_simulations SET simulated_at = now() - interval '400 days'`);
      await keyferry.sync();
      expect(await known()).toEqual([g2aProductId(1), g2aProductId(2)]);

      await keyferry.sql('DELETE FROM product_mappings WHERE g2a_product_id = $1', [g2aProductId(2)]);
      await keyferry.sync();
      await keyferry.sql('DELETE FROM offers WHERE g2a_product_id = $1', [g2aProductId(2)]);
      await keyferry.sync();
      expect(await known()).toEqual([g2aProductId(1)]);
    } finally {
      await keyferry.stop();
    }
  });

  it('that all fail are told of, until one succeeds', async () => {
    const keyferry = await startShop([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], { G2A_RATE: '4000/60s' });
    const alerts = () =>
      keyferry.sql(`SELECT kind, message FROM alerts WHERE kind = 'simulation_failing' AND cleared_at IS NULL`);
    const syncAnew = async () => {
      await keyferry.sql(`UPDATE price_simulations SET simulated_at = now() - interval '61 minutes'`);
      await keyferry.sync();
    };
    try {
      keyferry.g2a.traffic.behaviors.set({ name: 'answers500', route: SIMULATIONS });
      await keyferry.sync();
      expect(await alerts()).toEqual([]);
      await syncAnew();
      expect(await alerts()).toMatchObject([
        { message: expect.stringMatching(/^the last 20 price simulations .*500/) },
      ]);
      keyferry.g2a.traffic.behaviors.clear({});
      await syncAnew();
      expect(await alerts()).toEqual([]);
    } finally {
      await keyferry.stop();
    }
  });

  it('are not made, and do not count, when they are off', async () => {
    const keyferry = await startShop([1], { PRICE_SIMULATION: 'off' });
    try {
      keyferry.g2a.marketplace.setFee(g2aProductId(1), { feePercent: 20 });
      await keyferry.sync();
      await keyferry.sync();
      expect(asked(keyferry)).toBe(0);
      expect(shown(keyferry, 1)).toEqual({ active: true, retail: 803, business: 803 });

      // Nor do those count that were made before.
      await keyferry.sql(
        `INSERT INTO price_simulations (g2a_product_id, price_band, price_cents, income_cents, simulated_at)
         VALUES ($1, 800, 803, 642, now())`,
        [g2aProductId(1)],
      );
      expect(await keyferry.app.get(DesiredStateService).refresh(() => Promise.resolve(null))).toEqual({
        priced: 1,
        changed: 0,
      });
      expect(shown(keyferry, 1)).toMatchObject({ retail: 803 });
    } finally {
      await keyferry.stop();
    }
  });
});

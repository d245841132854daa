import {
  cwsAlternativeProductId,
  cwsProductId,
  g2aExtraOfferId,
  g2aOfferId,
  g2aProductId,
} from '../sandbox/catalog.js';
import { ReconcileOffersService } from '../src/sync/reconcile-offers.service.js';
import type { Offer } from '../sandbox/g2a-marketplace.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

/** What the offer shows, in the words of the wire. */
function shown(keyferry: Keyferry, game: number): Pick<Offer, 'active' | 'size' | 'retailCents' | 'businessCents'> {
  const { active, size, retailCents, businessCents } = keyferry.g2a.marketplace.offer(g2aOfferId(game));
  return { active, size, retailCents, businessCents };
}

const OFF = expect.objectContaining({ active: false, size: 0 });

describe('synchronization', () => {
  let keyferry: Keyferry;
  /** The next listing, without waiting for its time. */
  const confirm = (): Promise<void> => keyferry.app.get(ReconcileOffersService).readAll();
  const patches = (game: number): number => keyferry.g2a.marketplace.patches(g2aOfferId(game)).length;

  beforeAll(async () => {
    keyferry = await startKeyferry({ cws: { products: 50, alternatives: 50 } });
    await mapGames(keyferry, [1, 2, 3, 4, 5]);
    for (const game of [1, 2, 3, 4, 5]) {
      keyferry.cws.supplier.setProduct(cwsProductId(game), {
        quantity: 20,
        prices: [
          { value: 5.9, from: 10, to: null },
          { value: 6.32, from: 1, to: 9 },
        ],
      });
    }
    await keyferry.sync();
  });
  afterAll(() => keyferry.stop());

  it('lists a mapped product at the price that keeps the profit, from the band that contains one key', () => {
    expect(shown(keyferry, 1)).toEqual({ active: true, size: 20, retailCents: 803, businessCents: 803 });
  });

  it('touches no product that is not mapped', () => {
    expect(patches(6)).toBe(0);
  });

  it('sends nothing when nothing changed', async () => {
    keyferry.g2a.traffic.forget();
    await keyferry.sync();
    await keyferry.sync();
    expect(keyferry.g2a.traffic.requests().filter((request) => request.method === 'PATCH')).toEqual([]);
  });

  it('follows a price of the supplier', async () => {
    keyferry.cws.supplier.setProduct(cwsProductId(1), { prices: [{ value: 10, from: 1, to: null }] });
    await keyferry.sync();
    expect(shown(keyferry, 1)).toMatchObject({ retailCents: 1236, businessCents: 1236 });
  });

  it('switches an offer off when the supplier has sold out, and on again when it has stock', async () => {
    keyferry.cws.supplier.setProduct(cwsProductId(2), { quantity: 0 });
    await keyferry.sync();
    expect(shown(keyferry, 2)).toEqual(OFF);
    const [last] = keyferry.g2a.marketplace.patches(g2aOfferId(2)).slice(-1);
    expect(last!.body).toEqual({ offerType: 'dropshipping', variant: { inventory: { size: 0 }, active: false } });

    keyferry.cws.supplier.setProduct(cwsProductId(2), { quantity: 7 });
    await keyferry.sync();
    expect(shown(keyferry, 2)).toEqual({ active: true, size: 7, retailCents: 803, businessCents: 803 });
  });

  it('switches an offer off when the product is gone at the supplier', async () => {
    keyferry.cws.supplier.setProduct(cwsProductId(3), { gone: true });
    await keyferry.sql(`UPDATE supplier_products SET requested_at = now() - interval '2 minutes'`);
    await keyferry.sync();
    expect(shown(keyferry, 3)).toEqual(OFF);
    keyferry.cws.supplier.setProduct(cwsProductId(3), { gone: false });
    await keyferry.sql(`UPDATE supplier_products SET requested_at = now() - interval '2 minutes'`);
    await keyferry.sync();
    expect(shown(keyferry, 3)).toMatchObject({ active: true });
  });

  it('uses the cheapest supplier that has stock', async () => {
    await keyferry.sql('INSERT INTO product_mapping_suppliers VALUES ($1, $2, 1)', [
      g2aProductId(4),
      cwsAlternativeProductId(4),
    ]);
    keyferry.cws.supplier.setProduct(cwsAlternativeProductId(4), {
      quantity: 3,
      prices: [{ value: 5, from: 1, to: null }],
    });
    await keyferry.sync();
    // (5.00 + 0.50) / 0.85; the 20 keys at 6.32 would be sold at a loss for 6.48, so they are not declared.
    expect(shown(keyferry, 4)).toEqual({ active: true, size: 3, retailCents: 648, businessCents: 648 });
    keyferry.cws.supplier.setProduct(cwsAlternativeProductId(4), { quantity: 0 });
    await keyferry.sync();
    expect(shown(keyferry, 4)).toEqual({ active: true, size: 20, retailCents: 803, businessCents: 803 });
  });

  it('takes an edit of a mapping by plain SQL within one round', async () => {
    await keyferry.sql('UPDATE product_mappings SET fixed_profit_cents = 100 WHERE g2a_product_id = $1', [
      g2aProductId(5),
    ]);
    await keyferry.sync();
    expect(shown(keyferry, 5)).toMatchObject({ retailCents: 862 });
  });

  it('lists a product that is mapped by plain SQL within one round', async () => {
    await mapGames(keyferry, [7]);
    await keyferry.sync();
    expect(shown(keyferry, 7)).toMatchObject({ active: true });
  });

  it('stops the offer of a disabled mapping before it asks the supplier for anything', async () => {
    await keyferry.sql('UPDATE product_mappings SET is_enabled = false WHERE g2a_product_id = $1', [g2aProductId(5)]);
    keyferry.cws.traffic.behaviors.set({ name: 'answers500' });
    await keyferry.sync();
    keyferry.cws.traffic.behaviors.clear({});
    expect(shown(keyferry, 5)).toEqual(OFF);
    await keyferry.sql('UPDATE product_mappings SET is_enabled = true WHERE g2a_product_id = $1', [g2aProductId(5)]);
    await keyferry.sync();
    expect(shown(keyferry, 5)).toMatchObject({ active: true });
  });

  it('stops the offer of a deleted mapping, then lets go of it', async () => {
    await keyferry.sql('DELETE FROM product_mappings WHERE g2a_product_id = $1', [g2aProductId(7)]);
    await keyferry.sync();
    expect(shown(keyferry, 7)).toEqual(OFF);
    await confirm();
    await keyferry.sync();
    expect(await keyferry.sql('SELECT 1 FROM offers WHERE g2a_product_id = $1', [g2aProductId(7)])).toEqual([]);
    const before = patches(7);
    keyferry.g2a.marketplace.edit(g2aOfferId(7), { active: true, size: 5 });
    await keyferry.sync();
    expect(patches(7)).toBe(before);
  });

  it('does not sell on a supplier state that is too old', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'answers500' });
    await keyferry.sql(`UPDATE supplier_products SET requested_at = now() - interval '10 minutes'`);
    await keyferry.sql(`UPDATE sync_cursors SET pass_started_at = now() - interval '10 minutes'`);
    await keyferry.sync();
    expect(shown(keyferry, 1)).toEqual(OFF);
    expect(
      await keyferry.sql('SELECT desired_reason FROM offers WHERE g2a_product_id = $1', [g2aProductId(1)]),
    ).toEqual([{ desired_reason: 'stale' }]);
    keyferry.cws.traffic.behaviors.clear({});
    await keyferry.sync();
    expect(shown(keyferry, 1)).toMatchObject({ active: true });
  });

  it('never moves the feed cursor past a page that was not stored', async () => {
    // The position may be the same again: it follows CWS's clock, which tells whole seconds.
    const cursor = async (): Promise<unknown> => keyferry.sql('SELECT position, pass_started_at FROM sync_cursors');
    const before = await cursor();
    keyferry.cws.traffic.behaviors.set({ name: 'answers500', route: 'GET /v3/products' });
    await keyferry.sync();
    keyferry.cws.traffic.behaviors.clear({});
    expect(await cursor()).toEqual(before);
    await keyferry.sync();
    expect(await cursor()).not.toEqual(before);
  });

  it('sends a refused change again, and keeps the reason', async () => {
    keyferry.g2a.traffic.behaviors.set({ name: 'answers500', route: 'PATCH /v3/sales/offers/:offerId' });
    keyferry.cws.supplier.setProduct(cwsProductId(1), { quantity: 9 });
    await keyferry.sync();
    const offer = async (): Promise<unknown> =>
      keyferry.sql('SELECT failure_count > 0 AS failed, last_error FROM offers WHERE g2a_product_id = $1', [
        g2aProductId(1),
      ]);
    expect(await offer()).toEqual([{ failed: true, last_error: expect.stringContaining('HTTP 500') }]);
    keyferry.g2a.traffic.behaviors.clear({});
    await keyferry.sql('UPDATE offers SET retry_at = now()');
    await keyferry.sync();
    expect(shown(keyferry, 1)).toMatchObject({ size: 9 });
    await confirm();
    expect(await offer()).toEqual([{ failed: false, last_error: null }]);
  });

  it('does not let a back-off delay a stop', async () => {
    await keyferry.sql(`UPDATE offers SET failure_count = 9, retry_at = now() + interval '10 minutes'`);
    await keyferry.sql('UPDATE product_mappings SET is_enabled = false WHERE g2a_product_id = $1', [g2aProductId(1)]);
    await keyferry.sync();
    expect(shown(keyferry, 1)).toEqual(OFF);
    await keyferry.sql('UPDATE offers SET failure_count = 0, retry_at = NULL');
    await keyferry.sql('UPDATE product_mappings SET is_enabled = true');
    await keyferry.sync();
  });

  it('counts a change that was accepted and never shown as a failure', async () => {
    keyferry.g2a.traffic.behaviors.set({ name: 'jobFails', subject: g2aOfferId(1) });
    keyferry.cws.supplier.setProduct(cwsProductId(1), { quantity: 8 });
    await keyferry.sync();
    await keyferry.sql(`UPDATE offers SET sent_at = now() - interval '3 minutes' WHERE sent_at IS NOT NULL`);
    await confirm();
    keyferry.g2a.traffic.behaviors.clear({});
    expect(
      await keyferry.sql('SELECT failure_count, last_error FROM offers WHERE g2a_product_id = $1', [g2aProductId(1)]),
    ).toEqual([{ failure_count: 1, last_error: expect.stringContaining('not shown') }]);
    await keyferry.sync();
    await confirm();
    expect(shown(keyferry, 1)).toMatchObject({ size: 8 });
    expect(await keyferry.sql('SELECT 1 FROM offers WHERE failure_count > 0')).toEqual([]);
  });

  it('does not sell on an old snapshot of a product that is mapped again', async () => {
    await keyferry.sql('DELETE FROM product_mapping_suppliers WHERE g2a_product_id = $1', [g2aProductId(2)]);
    await keyferry.sql(
      `UPDATE supplier_products SET requested_at = now() - interval '10 days', price_bands = $2 WHERE cws_product_id = $1`,
      [cwsProductId(2), JSON.stringify([{ fromQuantity: 1, toQuantity: null, unitPrice: 400 }])],
    );
    await keyferry.sync();
    await keyferry.sql('INSERT INTO product_mapping_suppliers VALUES ($1, $2)', [g2aProductId(2), cwsProductId(2)]);
    const before = patches(2);
    await keyferry.sync();
    const sent = keyferry.g2a.marketplace.patches(g2aOfferId(2)).slice(before);
    expect(sent.flatMap((patch) => patch.body.variant.price?.retail ?? [])).not.toContain('5.30');
    expect(shown(keyferry, 2)).toMatchObject({ active: true, retailCents: 803 });
  });

  it('stops a product whose data it does not understand, and goes on with the others', async () => {
    keyferry.cws.supplier.setProduct(cwsProductId(2), { prices: [{ value: 30_000_000, from: 1, to: null }] });
    keyferry.cws.supplier.setProduct(cwsProductId(3), { quantity: 7 });
    await keyferry.sync();
    expect(shown(keyferry, 2)).toEqual(OFF);
    expect(shown(keyferry, 3)).toMatchObject({ active: true, size: 7 });
    const open = (): Promise<unknown[]> =>
      keyferry.sql(`SELECT 1 FROM alerts WHERE kind = 'supplier_product_unreadable' AND cleared_at IS NULL`);
    expect(await open()).toHaveLength(1);
    keyferry.cws.supplier.setProduct(cwsProductId(2), { prices: [{ value: 6.32, from: 1, to: null }] });
    await keyferry.sql(`UPDATE supplier_products SET requested_at = now() - interval '2 minutes'`);
    await keyferry.sync();
    expect(shown(keyferry, 2)).toMatchObject({ active: true });
    expect(await open()).toEqual([]);
  });

  it('says that G2A cannot be reached until it can', async () => {
    const open = async (): Promise<string[]> =>
      (await keyferry.sql('SELECT kind FROM alerts WHERE cleared_at IS NULL')).map((row: { kind: string }) => row.kind);
    keyferry.g2a.traffic.behaviors.set({ name: 'losesRequest' });
    keyferry.cws.supplier.setProduct(cwsProductId(3), { quantity: 6 });
    await keyferry.sync();
    await keyferry.sync();
    expect(await open()).toContain('g2a_unreachable');
    keyferry.g2a.traffic.behaviors.clear({});
    await keyferry.sql('UPDATE offers SET retry_at = NULL');
    await keyferry.sync();
    expect(await open()).not.toContain('g2a_unreachable');
    expect(shown(keyferry, 3)).toMatchObject({ size: 6 });
  });

  it('writes an audit row for each change of mapping and offer', async () => {
    const rows = await keyferry.sql('SELECT DISTINCT action FROM audit_log ORDER BY 1');
    expect(rows.map((row: { action: string }) => row.action)).toEqual([
      'mapping.created',
      'mapping.deleted',
      'mapping.supplier.created',
      'mapping.supplier.deleted',
      'mapping.updated',
      'offer.desired_changed',
      'offer.forgotten',
      'offer.found',
      'offer.refused',
      'offer.sent',
    ]);
  });
});

describe('listings of other shapes', () => {
  it('that leave size and business price out settle: an unchanged round sends nothing', async () => {
    const keyferry = await startKeyferry({
      g2a: { products: 3, listShape: { omitsBusinessPrice: true, omitsSize: true } },
    });
    try {
      await mapGames(keyferry, [1, 2]);
      await keyferry.sync();
      await keyferry.app.get(ReconcileOffersService).readAll();
      keyferry.g2a.traffic.forget();
      await keyferry.sync();
      await keyferry.app.get(ReconcileOffersService).readAll();
      await keyferry.sync();
      expect(keyferry.g2a.traffic.requests().filter((request) => request.method === 'PATCH')).toEqual([]);
    } finally {
      await keyferry.stop();
    }
  });

  it.each(['retail', 'business'] as const)('with a %s offer get only that price', async (visibility) => {
    const keyferry = await startKeyferry({ g2a: { products: 3 } });
    try {
      keyferry.g2a.marketplace.edit(g2aOfferId(1), { visibility });
      await mapGames(keyferry, [1]);
      await keyferry.sync();
      const [patch] = keyferry.g2a.marketplace.patches(g2aOfferId(1));
      expect(patch!.body.variant.price).toEqual({ [visibility]: expect.any(String) });
      expect(shown(keyferry, 1)).toMatchObject({ active: true });
    } finally {
      await keyferry.stop();
    }
  });
});

describe('offers that are not ours to touch', () => {
  it.each([
    { extraOfferType: 'game', isOurs: true },
    { extraOfferType: 'dropshipping', isOurs: false },
  ])('with a second offer of type $extraOfferType the dropshipping offer is followed: $isOurs', async (example) => {
    const { extraOfferType, isOurs } = example;
    const keyferry = await startKeyferry({ g2a: { products: 3, extraOffers: 1, extraOfferType } });
    try {
      await mapGames(keyferry, [1, 2]);
      await keyferry.sync();
      expect(keyferry.g2a.marketplace.patches(g2aExtraOfferId(1))).toEqual([]);
      expect(keyferry.g2a.marketplace.patches(g2aOfferId(1))).toHaveLength(isOurs ? 1 : 0);
      expect(keyferry.g2a.marketplace.patches(g2aOfferId(2))).toHaveLength(1);
      const alerts = await keyferry.sql(`SELECT subject FROM alerts WHERE kind = 'offer_ambiguous'`);
      expect(alerts).toEqual(isOurs ? [] : [{ subject: String(g2aProductId(1)) }]);
    } finally {
      await keyferry.stop();
    }
  });
});

describe('a first synchronization of 1,000 products', () => {
  it('updates every offer, and a second round sends not one PATCH', async () => {
    const keyferry = await startKeyferry({
      cws: { products: 1000 },
      g2a: { products: 1000 },
    });
    try {
      await mapGames(
        keyferry,
        Array.from({ length: 1000 }, (_, index) => index + 1),
      );
      // A round sends for some seconds only; on a busy machine the first thousand take more than one.
      const sent = (): number => keyferry.g2a.marketplace.patches().length;
      for (let before = -1; before < sent();) {
        before = sent();
        await keyferry.sync();
      }
      const offers = keyferry.g2a.marketplace.list();
      expect(offers).toHaveLength(1000);
      const [{ different }] = await keyferry.sql(
        `SELECT count(*) AS different FROM offers JOIN supplier_stock stock
           ON right(stock.cws_product_id::text, 12)::bigint = g2a_product_id - 10000000000000
         WHERE desired_is_active IS DISTINCT FROM (stock.available > 0)`,
      );
      expect(different).toBe(0);
      for (const offer of offers) {
        expect(keyferry.g2a.marketplace.patches(offer.id)).toHaveLength(offer.active ? 1 : 0);
      }
      expect(offers.filter((offer) => offer.active)).toHaveLength(1000 - Math.floor(1000 / 23));

      keyferry.g2a.traffic.forget();
      await keyferry.sync();
      expect(keyferry.g2a.traffic.requests().filter((request) => request.method === 'PATCH')).toEqual([]);
    } finally {
      await keyferry.stop();
    }
  });
});

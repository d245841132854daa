import { jest } from '@jest/globals';
import { cwsAlternativeProductId, cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { lockStock } from '../src/catalog/stock-holds.queries.js';
import { PlanReservationService } from '../src/orders/plan-reservation.service.js';
import { type Keyferry, startKeyferry } from './support/keyferry.js';
import { left, refused, reservationSteps } from './support/reservation-steps.js';

let keyferry: Keyferry;
const { tryReserve, reserve, expire, restock } = reservationSteps(() => keyferry);

/** Everything that a refused call must leave alone. */
const claims = (): Promise<unknown> =>
  keyferry.sql(`SELECT (SELECT jsonb_agg(r ORDER BY r.id) FROM reservations r) AS reservations,
    (SELECT jsonb_agg(h ORDER BY h.id) FROM stock_holds h) AS holds, (SELECT count(*) FROM audit_log) AS audited`);

describe('the reservation routes', () => {
  beforeAll(async () => {
    keyferry = await startKeyferry({ cws: { products: 40, alternatives: 40 } });
    for (const game of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) await restock(game, 5);
    await keyferry.sync();
  });
  afterAll(() => keyferry.stop());

  describe('POST /reservation', () => {
    it('answers 200 with what others can still reserve', async () => {
      expect(await tryReserve(1, 2)).toMatchObject(left(1, 3));
      expect(await tryReserve(1, 3)).toMatchObject(left(1, 0));
    });

    it('asks CWS nothing about a product that is not mapped, or disabled', async () => {
      keyferry.cws.traffic.forget();
      expect(await tryReserve(30)).toMatchObject(refused(404, 'product_not_found'));
      await keyferry.sql('UPDATE product_mappings SET is_enabled = false WHERE g2a_product_id = $1', [g2aProductId(2)]);
      expect(await tryReserve(2)).toMatchObject(refused(404, 'product_not_found'));
      await keyferry.sql('UPDATE product_mappings SET is_enabled = true WHERE g2a_product_id = $1', [g2aProductId(2)]);
      expect(keyferry.cws.traffic.requests()).toEqual([]);
    });

    it('counts a supplier product once, however many mappings share it', async () => {
      await keyferry.sql(`UPDATE product_mapping_suppliers SET cws_product_id = $1 WHERE g2a_product_id = $2`, [
        cwsProductId(5),
        g2aProductId(6),
      ]);
      expect(await tryReserve(5, 2)).toMatchObject(left(5, 3));
      expect(await tryReserve(6, 1)).toMatchObject(left(6, 2));
      const both = await keyferry.customer.reserve([
        { productId: g2aProductId(5), quantity: 1 },
        { productId: g2aProductId(6), quantity: 1 },
      ]);
      expect(both).toMatchObject({ ok: true, body: { stock: [{ inventory_size: 0 }, { inventory_size: 0 }] } });
      expect(await tryReserve(5)).toMatchObject(refused(400, 'insufficient_stock'));
    });

    it('lets the product with one supplier have it, when another in the same call has a choice', async () => {
      await keyferry.sql(
        `WITH emptied AS (DELETE FROM product_mapping_suppliers WHERE g2a_product_id IN ($1, $2))
         SELECT 1`,
        [g2aProductId(7), g2aProductId(8)],
      );
      await keyferry.sql('INSERT INTO product_mapping_suppliers VALUES ($1, $3, 0), ($1, $4, 1), ($2, $3, 0)', [
        g2aProductId(7),
        g2aProductId(8),
        cwsProductId(7),
        cwsProductId(8),
      ]);
      await keyferry.sql('UPDATE supplier_products SET quantity = 1 WHERE cws_product_id = $1', [cwsProductId(7)]);
      const answer = await keyferry.customer.reserve([
        { productId: g2aProductId(7), quantity: 1 },
        { productId: g2aProductId(8), quantity: 1 },
      ]);
      expect(answer).toMatchObject({ ok: true });
    });

    it.each([
      [33, 34],
      [34, 33],
    ])('serves a cart whenever some split of the shared suppliers can: games %i and %i', async (first, second) => {
      // 33 can have either of two single keys; 34 only the first, and its other suppliers are empty.
      const [shared, other] = [cwsProductId(33), cwsProductId(34)];
      const empty = [cwsAlternativeProductId(33), cwsAlternativeProductId(34)];
      for (const id of [shared, other]) keyferry.cws.supplier.setProduct(id, { quantity: 1 });
      for (const id of empty) keyferry.cws.supplier.setProduct(id, { quantity: 0 });
      await keyferry.sql('DELETE FROM stock_holds WHERE cws_product_id = ANY ($1)', [[shared, other]]);
      await keyferry.sql('DELETE FROM product_mappings WHERE g2a_product_id = ANY ($1)', [
        [g2aProductId(33), g2aProductId(34)],
      ]);
      await keyferry.sql('INSERT INTO product_mappings (g2a_product_id) VALUES ($1), ($2)', [
        g2aProductId(33),
        g2aProductId(34),
      ]);
      await keyferry.sql(
        `INSERT INTO product_mapping_suppliers VALUES ($1, $3, 0), ($1, $4, 1), ($2, $3, 0), ($2, $5, 1), ($2, $6, 2)`,
        [g2aProductId(33), g2aProductId(34), shared, other, ...empty],
      );
      await keyferry.sync();
      const answer = await keyferry.customer.reserve(
        [first, second].map((game) => ({ productId: g2aProductId(game), quantity: 1 })),
      );
      expect(answer).toMatchObject({ ok: true });
    });

    it('promises nothing of a supplier that became known after the stock was locked', async () => {
      const planning = keyferry.app.get(PlanReservationService);
      const item = { g2aProductId: g2aProductId(1), quantity: 1, quotedUnitPrice: null, quotedBasePrice: null };
      await keyferry.sql('DELETE FROM stock_holds WHERE cws_product_id = $1', [cwsProductId(1)]);
      let attempts = 0;
      const planned = await planning.run(async (manager, plan) => {
        attempts += 1;
        return plan([item], attempts === 1 ? Promise.resolve([]) : lockStock(manager, [item.g2aProductId]));
      });
      expect([attempts, planned.items]).toMatchObject([2, [{ allocations: [{ quantity: 1 }] }]]);
    });

    it('counts only suppliers that keep the profit floor, and none whose release lies ahead', async () => {
      const [dear, later] = [cwsAlternativeProductId(9), cwsAlternativeProductId(10)];
      keyferry.cws.supplier.setProduct(dear, { quantity: 50, prices: [{ value: 6.83, from: 1, to: null }] });
      keyferry.cws.supplier.setProduct(later, {
        quantity: 50,
        prices: [{ value: 6.32, from: 1, to: null }],
        releaseDate: new Date(Date.now() + 86_400_000).toISOString(),
      });
      await keyferry.sql('INSERT INTO product_mapping_suppliers VALUES ($1, $2, 1), ($1, $3, 2)', [
        g2aProductId(9),
        dear,
        later,
      ]);
      await keyferry.sync();
      expect(await tryReserve(9)).toMatchObject(left(9, 4));
      expect(await tryReserve(9, 5)).toMatchObject(refused(400, 'price_too_low'));
    });

    it('counts what G2A itself says that a sale leaves, to companies too, at the price that they see', async () => {
      // Cost 6.32. A consumer's 8.03 leaves 6.82; a company's 8.03 only 6.02, its 9.10 again 6.82.
      const product = g2aProductId(8);
      await keyferry.sql(
        `INSERT INTO price_simulations (g2a_product_id, price_band, price_cents, income_cents, business_income_cents, simulated_at)
         VALUES ($1, 800, 803, 682, 602, now())
         ON CONFLICT (g2a_product_id, price_band) DO UPDATE SET income_cents = 682, business_income_cents = 602`,
        [product],
      );
      await keyferry.sql('DELETE FROM product_mapping_suppliers WHERE g2a_product_id = $1', [product]);
      await keyferry.sql('INSERT INTO product_mapping_suppliers VALUES ($1, $2, 0)', [product, cwsProductId(8)]);
      const showCompanies = (cents: number) =>
        keyferry.sql(
          `UPDATE offers SET observed_retail_price_cents = 803, observed_business_price_cents = $2, sent_price_cents = NULL,
             sent_business_price_cents = NULL, sent_lowest_price_cents = NULL WHERE g2a_product_id = $1`,
          [product, cents],
        );
      await showCompanies(803);
      expect(await tryReserve(8)).toMatchObject(refused(400, 'price_too_low'));
      await showCompanies(910);
      const reservation = await tryReserve(8);
      expect(reservation).toMatchObject({ ok: true });
      expect(
        await keyferry.sql(
          'SELECT sale_price_cents, sale_income_cents FROM reservation_items WHERE g2a_product_id = $1 AND reservation_id = $2',
          [product, reservation.ok ? reservation.body.reservation_id : null],
        ),
      ).toEqual([{ sale_price_cents: 803, sale_income_cents: 682 }]);
    });

    it('frees an expired reservation by the clock alone', async () => {
      const first = await reserve(10, 5);
      expect(await tryReserve(10)).toMatchObject(refused(400, 'insufficient_stock'));
      await expire(first);
      expect(await tryReserve(10)).toMatchObject(left(10, 4));
    });
  });

  describe('time', () => {
    it.each([
      ['just before', -0.000_001, true],
      ['in the moment when', 0, false],
      ['after', 0.000_001, false],
    ])(
      'a piece bought %s CWS was asked for its stock is taken off it or not: by %d s',
      async (_when, seconds, isGone) => {
        const game = 4;
        const id = await reserve(game);
        // All five, as when the purchase is made; CWS's answer shows five all the same.
        await keyferry.sql(
          `UPDATE stock_holds hold SET state = 'bought', expires_at = NULL, quantity = 5,
           bought_at = product.requested_at + make_interval(secs => $2)
         FROM supplier_products product, reservation_items item
         WHERE product.cws_product_id = hold.cws_product_id AND item.id = hold.reservation_item_id
           AND item.reservation_id = $1`,
          [id, seconds],
        );
        // Who would be refused for it has CWS asked once more.
        keyferry.cws.traffic.behaviors.set({ name: 'answers500', route: 'GET /v3/products/:productId' });
        expect(await tryReserve(game)).toMatchObject(isGone ? left(game, 4) : refused(400, 'insufficient_stock'));
        keyferry.cws.traffic.behaviors.clear({});
        await keyferry.sql('DELETE FROM stock_holds WHERE cws_product_id = $1', [cwsProductId(game)]);
      },
    );

    /** Only what time it is; whatever waits goes on. */
    function setClock(minutesFromNow: number): void {
      jest.useFakeTimers({
        now: Date.now() + minutesFromNow * 60_000,
        doNotFake: [
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'setImmediate',
          'clearImmediate',
          'nextTick',
          'queueMicrotask',
          'hrtime',
          'performance',
        ],
      });
    }
    afterEach(() => {
      jest.useRealTimers();
    });

    it('is the database’s: a reservation is live or over whatever the clock of the process says', async () => {
      const live = await reserve(3);
      const over = await reserve(3);
      const renewed = await reserve(3);
      await expire(over);
      // A reservation lives for 30 minutes.
      setClock(40);
      expect((await keyferry.customer.renew(renewed)).status).toBe(200);
      expect((await keyferry.customer.order(live)).status).toBe(202);
      setClock(-40);
      expect(await keyferry.customer.order(over)).toMatchObject(refused(410, 'reservation_expired'));
    });
  });

  describe('PUT /reservation/{id}', () => {
    beforeAll(async () => {
      for (const game of [11, 12, 14]) await restock(game, 3);
      await keyferry.sync();
    });

    const expiry = async (id: string): Promise<unknown[]> =>
      keyferry.sql(
        `SELECT reservation.expires_at, reservation.expires_at = hold.expires_at AS same, hold.quantity
         FROM reservations reservation JOIN reservation_items item ON item.reservation_id = reservation.id
         JOIN stock_holds hold ON hold.reservation_item_id = item.id WHERE reservation.id = $1`,
        [id],
      );

    it('answers 200 and moves the expiry of a live one, however often, holding the same pieces', async () => {
      const id = await reserve(11, 2);
      await keyferry.sql(`UPDATE reservations SET expires_at = now() + interval '1 minute' WHERE id = $1`, [id]);
      await keyferry.sql(
        `UPDATE stock_holds SET expires_at = now() + interval '1 minute' WHERE state = 'reserved'
        AND reservation_item_id IN (SELECT id FROM reservation_items WHERE reservation_id = $1)`,
        [id],
      );
      for (let call = 0; call < 2; call += 1) {
        expect(await keyferry.customer.renew(id)).toMatchObject(left(11, 1));
        const [renewed, ...others] = (await expiry(id)) as { expires_at: Date; same: boolean; quantity: number }[];
        expect(others).toEqual([]);
        expect(renewed).toMatchObject({ same: true, quantity: 2 });
        expect(renewed!.expires_at.getTime()).toBeGreaterThan(Date.now() + 29 * 60_000);
      }
      expect(
        await keyferry.sql(`SELECT actor, action, details FROM audit_log WHERE subject_id = $1 ORDER BY id`, [id]),
      ).toEqual([
        { actor: 'g2a', action: 'reservation.created', details: expect.anything() },
        { actor: 'g2a', action: 'reservation.renewed', details: { wasExpired: false } },
        { actor: 'g2a', action: 'reservation.renewed', details: { wasExpired: false } },
      ]);
    });

    it('answers 200 for an expired one while there is stock, and 400 when others have it', async () => {
      const id = await reserve(12, 2);
      await expire(id);
      expect(await keyferry.customer.renew(id)).toMatchObject(left(12, 1));
      await expire(id);
      const other = await reserve(12, 2);
      const before = await claims();
      expect(await keyferry.customer.renew(id)).toMatchObject(refused(400, 'insufficient_stock'));
      expect(await claims()).toEqual(before);
      await keyferry.customer.release(other);
      expect(await keyferry.customer.renew(id)).toMatchObject(left(12, 1));
      expect((await keyferry.customer.order(id)).status).toBe(202);
    });

    it('claims an expired one at the price that is shown now', async () => {
      const id = await reserve(14);
      await expire(id);
      await keyferry.sql(
        `UPDATE offers SET observed_retail_price_cents = 900, observed_business_price_cents = 900,
           sent_lowest_price_cents = NULL WHERE g2a_product_id = $1`,
        [g2aProductId(14)],
      );
      expect(await keyferry.customer.renew(id)).toMatchObject({ ok: true });
      expect(
        await keyferry.sql('SELECT sale_price_cents FROM reservation_items WHERE reservation_id = $1', [id]),
      ).toEqual([{ sale_price_cents: 900 }]);
    });
  });

  describe('DELETE /reservation/{id}', () => {
    beforeAll(async () => {
      for (const game of [15, 16]) await restock(game, 3);
      await keyferry.sync();
    });

    it('answers 204 and gives the pieces back, once', async () => {
      const id = await reserve(15, 3);
      expect(await keyferry.customer.release(id)).toMatchObject({ ok: true, status: 204, body: undefined });
      expect(await keyferry.customer.release(id)).toMatchObject(refused(404, 'reservation_not_found'));
      expect(await tryReserve(15)).toMatchObject(left(15, 2));
      const audited = await keyferry.sql(
        `SELECT count(*) FROM audit_log WHERE subject_id = $1 AND action = 'reservation.released'`,
        [id],
      );
      expect(audited).toEqual([{ count: 1 }]);
    });

    it('answers 204 for an expired one, which cannot come back then', async () => {
      const id = await reserve(16);
      await expire(id);
      expect((await keyferry.customer.release(id)).status).toBe(204);
      expect(await keyferry.customer.renew(id)).toMatchObject(refused(404, 'reservation_not_found'));
    });
  });
});

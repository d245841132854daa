import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource, EntityManager } from 'typeorm';
import { AlertsService } from '../src/alerts/alerts.service.js';
import { writeDesiredStates } from '../src/catalog/offers.queries.js';
import { recordSimulation } from '../src/catalog/price-simulations.queries.js';
import { parseEnvironment } from '../src/config/environment.js';
import { createDataSource } from '../src/data-source.js';
import { cents } from '../src/money/cents.js';
import { DesiredStateService } from '../src/sync/desired-state.service.js';
import { off } from '../src/sync/desired-state.rules.js';
import { environment } from './support/keyferry.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

const NOTHING = { priced: 0, changed: 0 };
const ONE = { priced: 1, changed: 1 };
/** Products that are priced before it is looked for a pause, and for other inputs. */
const CHUNK = 50;
const LOOK = 4 * CHUNK;

/** Offers and suppliers with these numbers, as if CWS and G2A had just been read: 100 keys at 5.00 each. */
const FILL = `
  WITH mapping AS (
    INSERT INTO product_mappings (g2a_product_id) SELECT generate_series($1::integer, $2)
  ), link AS (
    INSERT INTO product_mapping_suppliers (g2a_product_id, cws_product_id)
    SELECT number, lpad(number::text, 32, '0')::uuid FROM generate_series($1, $2) number
  ), product AS (
    INSERT INTO supplier_products (cws_product_id, name, quantity, price_bands, requested_at, changed_at)
    SELECT lpad(number::text, 32, '0')::uuid, 'Game ' || number, 100,
      '[{"fromQuantity": 1, "toQuantity": null, "unitPrice": 500}]', clock_timestamp(), clock_timestamp()
    FROM generate_series($1, $2) number
  )
  INSERT INTO offers (g2a_offer_id, g2a_product_id, observed_is_active, observed_size, observed_at)
  SELECT gen_random_uuid(), number, false, 0, clock_timestamp() FROM generate_series($1, $2) number`;

const supplierId = (number: number): string => `${'0'.repeat(8)}-0000-0000-0000-${String(number).padStart(12, '0')}`;

describe('the desired state', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let desired: DesiredStateService;

  const config = parseEnvironment(environment('http://127.0.0.1:1', 'http://127.0.0.1:1'));
  const sql = <T>(text: string, values: unknown[] = []): Promise<T> => dataSource.query<T>(text, values);
  const start = () => new DesiredStateService(dataSource, config, new AlertsService(dataSource));
  const whilePaused = () => desired.refresh(() => Promise.resolve('paused'));
  const refresh = () => desired.refresh(() => Promise.resolve(null));
  const supplier = (number: number, assignment: string, values: unknown[] = []) =>
    sql(`UPDATE supplier_products SET ${assignment} WHERE cws_product_id = $1`, [supplierId(number), ...values]);
  const offer = async (number: number) => {
    const [row] = await sql<{ size: number; price: number | null; reason: string }[]>(
      `SELECT desired_size AS size, desired_price_cents AS price, desired_reason AS reason
       FROM offers WHERE g2a_product_id = $1`,
      [number],
    );
    return row;
  };
  /** Without triggers: their audit of each row would take longer than the test. */
  const inBulk = (work: (manager: EntityManager) => Promise<unknown>) =>
    dataSource.transaction(async (manager) => {
      await manager.query('SET LOCAL session_replication_role = replica');
      await work(manager);
    });
  /** The offers numbered above 10,000, and what they are made from. */
  const forgetMany = async (manager: EntityManager): Promise<void> => {
    for (const table of ['offers', 'product_mappings', 'product_mapping_suppliers']) {
      await manager.query(`DELETE FROM ${table} WHERE g2a_product_id > 10000`);
    }
    await manager.query('DELETE FROM supplier_products WHERE cws_product_id > $1', [supplierId(10_000)]);
  };
  /** What an offer waits for comes so much earlier. */
  const letPass = (number: number, minutes: number) =>
    sql(
      `UPDATE offers SET reprice_at = reprice_at - make_interval(mins => $2),
         size_held_since = size_held_since - make_interval(mins => $2)
       WHERE g2a_product_id = $1`,
      [number, minutes],
    );

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await createDataSource(database.url).initialize();
    desired = start();
    await sql(FILL, [1, 5]);
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  describe('is computed', () => {
    it('of every offer once, and then of none while nothing changes', async () => {
      expect(await refresh()).toEqual({ priced: 5, changed: 5 });
      // (5.00 + 0.50) / 0.85.
      expect(await offer(1)).toEqual({ size: 100, price: 648, reason: 'for_sale' });
      expect(await refresh()).toEqual(NOTHING);
    });

    it('of an offer that is new', async () => {
      await sql(FILL, [6, 6]);
      expect(await refresh()).toEqual(ONE);
    });

    it('when its mapping is edited by plain SQL', async () => {
      await sql('UPDATE product_mappings SET fixed_profit_cents = 100 WHERE g2a_product_id = 1');
      expect(await refresh()).toEqual(ONE);
      expect(await offer(1)).toMatchObject({ price: 706 });
      expect(await refresh()).toEqual(NOTHING);
    });

    it('when a supplier is taken off its mapping by plain SQL, and given back', async () => {
      await sql('DELETE FROM product_mapping_suppliers WHERE g2a_product_id = 1');
      expect(await refresh()).toEqual(ONE);
      expect(await offer(1)).toEqual({ size: 0, price: null, reason: 'no_supplier_data' });
      await sql('INSERT INTO product_mapping_suppliers (g2a_product_id, cws_product_id) VALUES (1, $1)', [
        supplierId(1),
      ]);
      expect(await refresh()).toEqual(ONE);
      expect(await offer(1)).toMatchObject({ reason: 'for_sale' });
    });

    it('when its mapping is deleted', async () => {
      await sql('DELETE FROM product_mappings WHERE g2a_product_id = 6');
      expect(await refresh()).toEqual(ONE);
      expect(await offer(6)).toMatchObject({ reason: 'unmapped' });
    });

    it('of all that a supplier serves, when its price or stock changes, and not when it is fetched unchanged', async () => {
      await sql('INSERT INTO product_mapping_suppliers (g2a_product_id, cws_product_id) VALUES (2, $1)', [
        supplierId(1),
      ]);
      await refresh();
      await supplier(1, 'quantity = 3');
      expect(await refresh()).toEqual({ priced: 2, changed: 1 });
      await supplier(1, 'requested_at = clock_timestamp()');
      expect(await refresh()).toEqual(NOTHING);
    });

    it('when G2A shows other limits or another audience, or it is switched off there', async () => {
      const edit = (assignment: string) => sql(`UPDATE offers SET ${assignment} WHERE g2a_product_id = 3`);
      await edit('observed_min_price_cents = 900');
      expect(await refresh()).toEqual(ONE);
      expect(await offer(3)).toMatchObject({ price: 900 });
      await edit('observed_min_price_cents = NULL');
      expect(await refresh()).toEqual(ONE);
      await edit(`observed_visibility = 'business'`);
      expect(await refresh()).toMatchObject({ priced: 1 });
      await edit(`deactivated_at = now(), deactivation_message = 'why', deactivation_reason = 'deactivated_by_g2a'`);
      expect(await refresh()).toEqual(ONE);
      expect(await offer(3)).toMatchObject({ reason: 'deactivated_by_g2a' });
      await edit('deactivated_at = NULL, deactivation_message = NULL, deactivation_reason = NULL');
      expect(await refresh()).toEqual(ONE);
      await edit('observed_size = 7, observed_at = clock_timestamp()');
      expect(await refresh()).toEqual(NOTHING);
    });

    it('when G2A says what a sale earns', async () => {
      await recordSimulation(
        dataSource.manager,
        { g2aProductId: 4, price: cents(648) },
        { income: cents(500), businessIncome: null },
      );
      expect(await refresh()).toEqual(ONE);
    });

    it('when a change is committed, however long after it was made', async () => {
      const other = dataSource.createQueryRunner();
      await other.startTransaction();
      await other.query('UPDATE product_mappings SET is_enabled = false WHERE g2a_product_id = 4');
      await supplier(5, 'quantity = 2');
      expect(await refresh()).toEqual(ONE);
      await other.commitTransaction();
      await other.release();
      expect(await refresh()).toEqual(ONE);
      expect(await offer(4)).toMatchObject({ reason: 'disabled' });
    });

    it('of every offer when selling is paused or resumed, and after a restart', async () => {
      const all = { priced: 6 };
      expect(await whilePaused()).toMatchObject(all);
      expect(await offer(5)).toMatchObject({ reason: 'paused' });
      expect(await refresh()).toMatchObject(all);
      desired = start();
      expect(await refresh()).toEqual({ priced: 6, changed: 0 });
      expect(await refresh()).toEqual(NOTHING);
    });

    it('anew after some minutes, be it that something was overlooked', async () => {
      const [offer5] = await sql<{ id: string }[]>('SELECT g2a_offer_id AS id FROM offers WHERE g2a_product_id = 5');
      await writeDesiredStates(dataSource.manager, [{ g2aOfferId: offer5!.id, desired: off('out_of_stock') }]);
      expect(await refresh()).toEqual(NOTHING);
      await sql(`UPDATE offers SET reprice_at = reprice_at - interval '10 minutes'`);
      expect(await refresh()).toEqual({ priced: 6, changed: 1 });
    });

    it('of what is queued before all others when something changes for all, and tells of changes as it goes', async () => {
      await inBulk((manager) => manager.query(FILL, [10_001, 11_000]));
      await refresh();
      await supplier(11_000, 'quantity = 7');
      let told = 0;
      desired.whenOffersChange(() => (told += 1));
      await whilePaused();
      desired.whenOffersChange(() => undefined);
      expect(told).toBeGreaterThan(2);
      const stopped = await sql<{ product: number }[]>(
        `SELECT offer.g2a_product_id AS product FROM audit_log JOIN offers offer ON offer.g2a_offer_id::text = subject_id
         WHERE action = 'offer.desired_changed' AND details ->> 'reason' = 'paused' AND offer.g2a_product_id > 10000
         ORDER BY audit_log.id`,
      );
      expect(stopped).toHaveLength(1000);
      expect(stopped[0]).toEqual({ product: 11_000 });
      await refresh();
      await inBulk(forgetMany);
    });

    it('by a pause that comes in the middle, at once and not when all are priced without it', async () => {
      await inBulk((manager) => manager.query(FILL, [10_001, 11_000]));
      let isPaused = false;
      desired.whenOffersChange(() => (isPaused = true));
      const { priced, changed } = await desired.refresh(() => Promise.resolve(isPaused ? 'paused' : null));
      desired.whenOffersChange(() => undefined);
      // One chunk, and then all.
      expect(priced).toBe(CHUNK + 1006);
      expect(changed).toBeLessThanOrEqual(CHUNK + 1006);
      expect(await sql('SELECT DISTINCT desired_reason AS reason FROM offers WHERE g2a_product_id > 10000')).toEqual([
        { reason: 'paused' },
      ]);
      expect(await whilePaused()).toEqual(NOTHING);
      await refresh();
      await inBulk(forgetMany);
    });

    it('anew when the feed is not believed any more in the middle of it', async () => {
      await inBulk((manager) => manager.query(FILL, [10_001, 11_000]));
      await sql(`INSERT INTO sync_cursors (name, position, pass_started_at) VALUES ('cws_products', now(), now())`);
      let looks = 0;
      const { priced } = await desired.refresh(async () => {
        looks += 1;
        if (looks === 3) await sql('UPDATE sync_cursors SET unreliable_since = now()');
        return null;
      });
      expect(priced).toBe(LOOK + 1006);
      await sql('DELETE FROM sync_cursors');
      await refresh();
      await inBulk(forgetMany);
    });

    it('no further when another replica leads or this one ends, and the rest by the next who does', async () => {
      await inBulk((manager) => manager.query(FILL, [10_001, 11_000]));
      desired = start();
      let mayGoOn = true;
      desired.whenOffersChange(() => (mayGoOn = false));
      expect(await desired.refresh(() => Promise.resolve(mayGoOn ? null : undefined))).toMatchObject({ priced: CHUNK });
      desired = start();
      expect(await refresh()).toMatchObject({ priced: 1006 });
      await inBulk(forgetMany);
    });

    it('in one go of many, whatever their number', async () => {
      await inBulk((manager) => manager.query(FILL, [10_001, 16_000]));
      expect(await refresh()).toEqual({ priced: 6000, changed: 6000 });
      expect(await refresh()).toEqual(NOTHING);
      expect(await whilePaused()).toEqual({ priced: 6006, changed: 6004 });
      expect(await refresh()).toEqual({ priced: 6006, changed: 6004 });
      await inBulk(forgetMany);
    });
  });

  describe('knows of pieces that are spoken for', () => {
    it('when they are reserved, and when the reservation has run out', async () => {
      await supplier(5, 'quantity = 5');
      await refresh();
      await sql(
        `INSERT INTO stock_holds (cws_product_id, reservation_item_id, quantity, state, expires_at)
         VALUES ($1, gen_random_uuid(), 2, 'reserved', now() + interval '1 hour')`,
        [supplierId(5)],
      );
      // Not when it is only woken by something that was stored.
      expect(await desired.refresh(() => Promise.resolve(null), 'without_holds')).toEqual(NOTHING);
      expect(await refresh()).toEqual(ONE);
      expect(await offer(5)).toMatchObject({ size: 3 });
      expect(await refresh()).toEqual(NOTHING);
      await sql(`UPDATE stock_holds SET expires_at = clock_timestamp()`);
      expect(await refresh()).toEqual(ONE);
      expect(await offer(5)).toMatchObject({ size: 5 });
      expect(await refresh()).toEqual(NOTHING);
      await sql('DELETE FROM stock_holds');
      expect(await refresh()).toEqual(NOTHING);
    });

    it('at the next turn by the clock where many are left', async () => {
      await supplier(5, 'quantity = 1000');
      await refresh();
      const before = await offer(5);
      await sql(
        `INSERT INTO stock_holds (cws_product_id, reservation_item_id, quantity, state)
         VALUES ($1, gen_random_uuid(), 980, 'owed')`,
        [supplierId(5)],
      );
      expect(await refresh()).toEqual(NOTHING);
      expect(await offer(5)).toEqual(before);
      await sql('UPDATE stock_holds SET quantity = 995');
      expect(await refresh()).toEqual(ONE);
      expect(await offer(5)).toMatchObject({ size: 5 });
      await sql('DELETE FROM stock_holds');
      expect(await refresh()).toEqual(ONE);
      expect(await offer(5)).toMatchObject({ size: 1000 });
      await supplier(5, 'quantity = 5');
      await refresh();
    });

    it('when as many are held at another of its suppliers, and when what was bought is not in the stock any more', async () => {
      await supplier(4, 'quantity = 15');
      await sql('INSERT INTO product_mapping_suppliers (g2a_product_id, cws_product_id) VALUES (5, $1)', [
        supplierId(4),
      ]);
      await sql(
        `INSERT INTO stock_holds (cws_product_id, reservation_item_id, quantity, state, bought_at)
         VALUES ($1, gen_random_uuid(), 2, 'bought', clock_timestamp())`,
        [supplierId(5)],
      );
      await refresh();
      expect(await refresh()).toEqual(NOTHING);
      await sql('UPDATE stock_holds SET cws_product_id = $1', [supplierId(4)]);
      // Those of 4 and of 5.
      expect((await refresh()).priced).toBe(2);
      expect(await refresh()).toEqual(NOTHING);
      await supplier(4, 'requested_at = clock_timestamp()');
      expect((await refresh()).priced).toBe(2);
      await sql('DELETE FROM stock_holds');
      await sql('DELETE FROM product_mapping_suppliers WHERE g2a_product_id = 5 AND cws_product_id = $1', [
        supplierId(4),
      ]);
      await supplier(4, 'quantity = 300');
      await refresh();
    });
  });

  describe('follows stock', () => {
    it('later where no buyer would notice the difference: with the next price, or after 15 minutes', async () => {
      await supplier(5, 'quantity = 216');
      expect(await refresh()).toEqual(ONE);
      await supplier(5, 'quantity = 214');
      expect(await refresh()).toEqual({ priced: 1, changed: 0 });
      await letPass(5, 14);
      await supplier(5, 'quantity = 215');
      expect(await refresh()).toEqual({ priced: 1, changed: 0 });
      expect(await offer(5)).toMatchObject({ size: 216 });
      await letPass(5, 1);
      expect(await refresh()).toEqual(ONE);
      expect(await offer(5)).toMatchObject({ size: 215 });

      await supplier(5, 'quantity = 213');
      await refresh();
      await supplier(5, `price_bands = '[{"fromQuantity": 1, "toQuantity": null, "unitPrice": 600}]'`);
      expect(await refresh()).toEqual(ONE);
      expect(await offer(5)).toEqual({ size: 213, price: 765, reason: 'for_sale' });
    });

    it('does not wait with one change for the time of an earlier one that has gone back', async () => {
      await supplier(5, 'quantity = 212');
      await refresh();
      await letPass(5, 10);
      await supplier(5, 'quantity = 213');
      await refresh();
      await supplier(5, 'quantity = 211');
      await refresh();
      await letPass(5, 10);
      await refresh();
      expect(await offer(5)).toMatchObject({ size: 213 });
    });

    it.each([
      [9, 'falls below LOW_STOCK'],
      [8, 'changes below it'],
      [300, 'rises above it'],
      [0, 'is gone'],
      [300, 'is there again'],
    ])('at once to %d keys when it %s', async (quantity) => {
      await supplier(5, `quantity = ${quantity}`);
      expect(await refresh()).toEqual(ONE);
      expect(await offer(5)).toMatchObject({ size: quantity });
    });

    it('as soon as a product is released', async () => {
      await supplier(5, `release_date = clock_timestamp() + interval '300 milliseconds'`);
      expect(await refresh()).toEqual(ONE);
      expect(await offer(5)).toMatchObject({ reason: 'out_of_stock' });
      await sleep(350);
      expect(await refresh()).toEqual(ONE);
      expect(await offer(5)).toMatchObject({ size: 300 });
    });
  });

  describe('stops what is stale', () => {
    const age = (number: number) => supplier(number, `requested_at = clock_timestamp() - interval '6 minutes'`);
    const feed = (ageMinutes: number) =>
      sql(
        `INSERT INTO sync_cursors (name, position, pass_started_at) VALUES ('cws_products', now(), now() - make_interval(mins => $1))
         ON CONFLICT (name) DO UPDATE SET pass_started_at = excluded.pass_started_at`,
        [ageMinutes],
      );

    it('when its time has come, and sells it again once it was fetched', async () => {
      await age(5);
      await letPass(5, 5);
      expect(await refresh()).toEqual(ONE);
      expect(await offer(5)).toMatchObject({ reason: 'stale' });
      expect(await refresh()).toEqual(NOTHING);
      await supplier(5, 'requested_at = clock_timestamp()');
      expect(await refresh()).toEqual(ONE);
      expect(await offer(5)).toMatchObject({ reason: 'for_sale' });
    });

    it('when the feed that vouched for everything stops, or is not believed any more, and starts again with it', async () => {
      await sql('UPDATE product_mappings SET is_enabled = true');
      await sql("UPDATE product_mapping_suppliers SET mapped_at = mapped_at - interval '1 hour'");
      await feed(0);
      await refresh();
      for (const number of [1, 2, 3, 4, 5]) await age(number);
      await feed(0);
      await sql(`UPDATE offers SET reprice_at = now() + interval '1 hour'`);
      expect(await refresh()).toEqual(NOTHING);
      for (const [stop, restart] of [
        [() => feed(6), () => feed(0)],
        [
          () => sql('UPDATE sync_cursors SET unreliable_since = now()'),
          () => sql('UPDATE sync_cursors SET unreliable_since = NULL'),
        ],
      ] as const) {
        await stop();
        expect(await refresh()).toEqual({ priced: 6, changed: 5 });
        expect(await offer(5)).toMatchObject({ reason: 'stale' });
        expect(await refresh()).toEqual(NOTHING);
        await restart();
        expect(await refresh()).toEqual({ priced: 6, changed: 5 });
        expect(await offer(5)).toMatchObject({ reason: 'for_sale' });
      }
    });
  });

  it('is not stale before one and a half cycles that the sweep needs, also where none was measured yet', async () => {
    // A batch in 400 s for a sweep that gets three quarters of it.
    const slow = parseEnvironment({
      ...environment('http://127.0.0.1:1', 'http://127.0.0.1:1'),
      CWS_PRODUCTS_RATE: '2/600s',
    });
    await sql('UPDATE sync_cursors SET unreliable_since = now(), sweep_cycle_seconds = NULL');
    await supplier(4, `requested_at = clock_timestamp() - interval '590 seconds'`);
    await supplier(5, `requested_at = clock_timestamp() - interval '610 seconds'`);
    await new DesiredStateService(dataSource, slow, new AlertsService(dataSource)).refresh(() => Promise.resolve(null));
    expect(await offer(4)).toMatchObject({ reason: 'for_sale' });
    expect(await offer(5)).toMatchObject({ reason: 'stale' });
    await sql('UPDATE sync_cursors SET unreliable_since = NULL');
    for (const number of [4, 5]) await supplier(number, 'requested_at = clock_timestamp()');
    desired = start();
    await refresh();
  });

  describe('declares no more than the account can pay', () => {
    const balance = (total: number | null, committed = 0) =>
      sql(
        `UPDATE account_balance SET total_to_use_cents = $1::bigint, committed_cents = $2,
           currency = CASE WHEN $1::bigint IS NOT NULL THEN 'EUR' END,
           asked_at = CASE WHEN $1::bigint IS NOT NULL THEN clock_timestamp() END`,
        [total, committed],
      );

    it('where that is fewer than LOW_STOCK, and looks at no other offer for that', async () => {
      await balance(1_000_00);
      // 5.00 a key, and one of 6.00.
      await refresh();
      expect(await refresh()).toEqual(NOTHING);
      await balance(5_800_00, 5_741_00);
      expect(await refresh()).toEqual(ONE);
      expect(await offer(5)).toMatchObject({ size: 9 });
      await balance(10_00, 4_50);
      expect((await refresh()).priced).toBe(5);
      expect(await offer(5)).toEqual({ size: 0, price: null, reason: 'balance_too_low' });
      expect(await offer(2)).toMatchObject({ size: 1, reason: 'for_sale' });
      await balance(10_00, 20_00);
      await refresh();
      expect(await offer(2)).toMatchObject({ reason: 'balance_too_low' });
      await balance(1_000_00);
      expect((await refresh()).priced).toBe(5);
      expect(await offer(5)).toMatchObject({ size: 300 });
      expect(await refresh()).toEqual(NOTHING);
    });

    it('unless the balance is not known', async () => {
      await balance(0);
      await refresh();
      expect(await offer(5)).toMatchObject({ reason: 'balance_too_low' });
      await balance(null);
      await refresh();
      expect(await offer(5)).toMatchObject({ size: 300 });
    });
  });
});

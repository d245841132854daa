import { setTimeout as sleep } from 'node:timers/promises';
import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { nextG2aOrderId } from '../sandbox/customer.js';
import { payableBalance } from '../src/catalog/account-balance.queries.js';
import { cents } from '../src/money/cents.js';
import { WatchBalanceService } from '../src/orders/watch-balance.service.js';
import { DataSource } from 'typeorm';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

const ACCOUNT = 'GET /v3/accounts/current';
const PLENTY_CENTS = 10_000_000;

let keyferry: Keyferry;

beforeAll(async () => {
  keyferry = await startKeyferry({
    environment: {
      ADMIN_PASSWORD: 'a-password',
      PURCHASE_SETTLE_SECONDS: '60',
      PURCHASE_RESET_SETTLE_SECONDS: '60',
    },
  });
  for (const game of [1, 2, 3, 4, 5, 6]) {
    keyferry.cws.supplier.setProduct(cwsProductId(game), {
      quantity: 20,
      prices: [
        { value: 6.32, from: 1, to: 9 },
        { value: 6.1, from: 10, to: null },
      ],
    });
  }
  await mapGames(keyferry, [1, 2, 3, 4, 5, 6]);
  await keyferry.sync();
});
afterAll(() => keyferry.stop());
afterEach(async () => {
  keyferry.cws.traffic.behaviors.clear({});
  await keyferry.sql(`UPDATE reservations SET expires_at = now() WHERE state = 'active'`);
  await keyferry.sql(`DELETE FROM stock_holds WHERE state = 'reserved'`);
  await accountHas(PLENTY_CENTS);
});

/** CWS says so from now on, and has been asked. */
async function accountHas(cents: number): Promise<void> {
  keyferry.cws.supplier.balanceCents = cents;
  await ask();
}

/** Asks CWS now, whenever it was asked last. */
async function ask(target = keyferry): Promise<void> {
  await forgetLastQuestion(target);
  await target.app.get(WatchBalanceService).refresh();
}

const forgetLastQuestion = async (target = keyferry): Promise<unknown> =>
  target.sql('UPDATE account_balance SET tried_at = NULL');

const balance = async (): Promise<{ total_to_use_cents: number | null; committed_cents: number; currency: string }> =>
  (await keyferry.sql('SELECT * FROM account_balance'))[0];

const committed = async (): Promise<number> => {
  await keyferry.app.get(WatchBalanceService).refresh();
  return (await balance()).committed_cents;
};

const reserve = (game: number, quantity = 1) =>
  keyferry.customer.reserve([{ productId: g2aProductId(game), quantity, unitPrice: '8.03' }]);

async function reserved(game: number, quantity = 1): Promise<string> {
  const answer = await reserve(game, quantity);
  if (!answer.ok) throw new Error(`not reserved: ${JSON.stringify(answer)}`);
  return answer.body.reservation_id;
}

async function buy(game: number, quantity = 1): Promise<string> {
  const order = await keyferry.customer.order(await reserved(game, quantity));
  if (!order.ok) throw new Error(`not accepted: ${JSON.stringify(order)}`);
  return order.body.order_id;
}

const alert = async (kind: string, target = keyferry): Promise<string | null> =>
  (await target.sql('SELECT message FROM alerts WHERE kind = $1 AND cleared_at IS NULL', [kind]))[0]?.message ?? null;

const stateOf = async (orderId: string): Promise<string> =>
  (await keyferry.sql('SELECT state FROM orders WHERE id = $1', [orderId]))[0].state;

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 20_000; !(await condition());) {
    if (Date.now() > deadline) throw new Error('it did not happen within 20 s');
    await keyferry.sql(`UPDATE pgboss.job SET start_after = now() WHERE state IN ('created', 'retry')`);
    await sleep(50);
  }
}

const REFUSED = { ok: false, status: 400, error: { code: 'balance_too_low' } };

describe('the balance at CodesWholesale', () => {
  it('is asked for at the start, and kept with its currency', async () => {
    await until(async () => (await balance()).total_to_use_cents !== null);
    expect(await balance()).toMatchObject({ total_to_use_cents: PLENTY_CENTS, currency: 'EUR' });
  });

  it('has live reservations and owed keys taken off, each at the price of its quantity, until they are paid for', async () => {
    expect(await committed()).toBe(0);
    const first = await reserved(1, 2);
    await reserved(2, 10);
    expect(await committed()).toBe(2 * 632 + 10 * 610);
    const dataSource = keyferry.app.get(DataSource);
    expect(await payableBalance(dataSource.manager, 'EUR')).toBe(PLENTY_CENTS - 2 * 632 - 10 * 610);
    expect(await payableBalance(dataSource.manager, 'GBP')).toBeNull();

    await keyferry.customer.release(first);
    expect(await committed()).toBe(10 * 610);

    keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', seconds: 60, subject: cwsProductId(3) });
    const order = await buy(3);
    await until(async () => keyferry.cws.supplier.balanceCents === PLENTY_CENTS - 632);
    await until(
      async () => (await keyferry.sql('SELECT state FROM orders WHERE id = $1', [order]))[0].state === 'fulfilling',
    );
    // Whether CWS's answer shows the purchase or not, it is taken off once.
    await keyferry.sql(`UPDATE account_balance SET tried_at = now()`);
    const before = await balance();
    expect(before.total_to_use_cents! - (await committed())).toBe(PLENTY_CENTS - 632 - 10 * 610);
    await ask();
    const after = await balance();
    expect(after.total_to_use_cents! - after.committed_cents).toBe(PLENTY_CENTS - 632 - 10 * 610);
    keyferry.cws.orders.finish(
      (await keyferry.sql(`SELECT client_order_id FROM purchases WHERE state = 'fulfilling'`))[0].client_order_id,
    );
    await keyferry.customer.waitForKeys(order, 1, 20_000);
  });

  it('has a purchase that may have been made taken off up to its cap', async () => {
    keyferry.cws.traffic.behaviors.set({ name: 'losesRequest', route: 'POST /v3/orders', times: 1 });
    const order = await buy(4);
    await until(async () => (await keyferry.sql(`SELECT FROM purchases WHERE state = 'unknown'`)).length === 1);
    expect(await committed()).toBe(632);
    await keyferry.sql(`UPDATE purchases SET price_cap_cents = 700 WHERE state = 'unknown'`);
    expect(await committed()).toBe(700);
    // A person who has settled the order knows what became of it: after a day it does not count any more.
    const [{ state }] = await keyferry.sql('SELECT state FROM orders WHERE id = $1', [order]);
    await keyferry.sql(`UPDATE orders SET state = 'failed' WHERE id = $1`, [order]);
    expect(await committed()).toBe(700);
    await keyferry.sql(`UPDATE purchases SET created_at = now() - interval '25 hours' WHERE state = 'unknown'`);
    expect(await committed()).toBe(632);
    await keyferry.sql('UPDATE orders SET state = $2 WHERE id = $1', [order, state]);
    expect(await committed()).toBe(700);
    await keyferry.sql(`UPDATE purchases SET state = 'dead' WHERE state = 'unknown'`);
    expect(await committed()).toBe(632);
    await until(async () => {
      const inventory = await keyferry.customer.inventory(order);
      if (inventory.ok && inventory.body[0]!.inventory.length === 1) return true;
      await keyferry.sql(
        `INSERT INTO pgboss.job (name, data) SELECT 'purchase-order', jsonb_build_object('orderId', $1::text)
         WHERE NOT EXISTS (SELECT FROM pgboss.job WHERE name = 'purchase-order' AND state < 'completed')`,
        [order],
      );
      return false;
    });
  });
});

describe('a reservation', () => {
  it('is refused while the account cannot pay for it beside what is promised, and made once it can', async () => {
    await accountHas(2 * 632 - 1);
    const first = await reserved(1);
    expect(await reserve(2)).toMatchObject(REFUSED);
    expect(await keyferry.sql(`SELECT FROM stock_holds WHERE cws_product_id = $1`, [cwsProductId(2)])).toEqual([]);
    await keyferry.customer.release(first);
    await reserved(2);
  });

  it('is refused too where the last count shows plenty: what was promised since then counts', async () => {
    const stockUp = async (quantity: number): Promise<void> => {
      for (const game of [1, 2, 3, 4]) keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity });
      await keyferry.sync();
    };
    await stockUp(200);
    await accountHas(200_000);
    for (const game of [1, 2, 3]) await reserved(game, 100);
    await keyferry.sql('UPDATE account_balance SET counted_at = clock_timestamp(), committed_cents = 0');
    // 3 x 610.00 of 2,000.00 are promised, and the count does not know it.
    expect(await reserve(4, 100)).toMatchObject(REFUSED);
    await stockUp(20);
  });

  it('is refused exactly when a cent is missing', async () => {
    await accountHas(10 * 610 - 1);
    expect(await reserve(1, 10)).toMatchObject(REFUSED);
    await accountHas(10 * 610);
    await reserved(1, 10);
  });

  it('is not refused on an old balance: CWS is asked before a customer is turned away', async () => {
    await accountHas(100);
    keyferry.cws.supplier.balanceCents = PLENTY_CENTS;
    await forgetLastQuestion();
    await reserved(1);
    expect((await balance()).total_to_use_cents).toBe(PLENTY_CENTS);
  });

  it.each([
    ['is not known', 'UPDATE account_balance SET total_to_use_cents = NULL, currency = NULL, asked_at = NULL'],
    ['is more than 10 minutes old', `UPDATE account_balance SET asked_at = now() - interval '601 seconds'`],
  ])('is not refused when the balance %s', async (_, statement) => {
    await accountHas(100);
    keyferry.cws.traffic.behaviors.set({ name: 'answers500', route: ACCOUNT });
    await keyferry.sql(statement);
    await reserved(1);
  });

  it('keeps what it holds when it is renewed in time, and is refused as a new one when it has expired', async () => {
    const live = await reserved(1);
    const expired = await reserved(2);
    await keyferry.sql(
      `WITH expired AS (UPDATE reservations SET expires_at = now() WHERE id = $1)
       UPDATE stock_holds hold SET expires_at = now() FROM reservation_items item
       WHERE item.id = reservation_item_id AND item.reservation_id = $1`,
      [expired],
    );
    await accountHas(632);
    expect(await keyferry.customer.renew(live)).toMatchObject({ ok: true, status: 200 });
    expect(await keyferry.customer.renew(expired)).toMatchObject(REFUSED);
    expect(await keyferry.customer.order(live, nextG2aOrderId())).toMatchObject({ ok: true, status: 202 });
    await until(async () => keyferry.cws.supplier.balanceCents === 0);
  });
});

describe('the declared stock', () => {
  const sizes = async (): Promise<number[]> => {
    await keyferry.sync();
    const offers = await keyferry.sql(
      'SELECT desired_size, desired_is_active FROM offers WHERE g2a_product_id = ANY ($1) ORDER BY g2a_product_id',
      [[5, 6].map(g2aProductId)],
    );
    return offers.map((offer: { desired_size: number; desired_is_active: boolean }) =>
      offer.desired_is_active ? offer.desired_size : 0,
    );
  };

  it('is no more than the account can pay where that is fewer than LOW_STOCK keys, and whole again when money comes', async () => {
    const whole = await sizes();
    expect(Math.min(...whole)).toBeGreaterThan(10);
    await accountHas(10 * 632);
    expect(await sizes()).toEqual(whole);
    await accountHas(10 * 632 - 1);
    expect(await sizes()).toEqual([9, 9]);
    await accountHas(631);
    expect(await sizes()).toEqual([0, 0]);
    await accountHas(PLENTY_CENTS);
    expect(await sizes()).toEqual(whole);
  });
});

describe('the status', () => {
  it('shows the balance and how much of it is spoken for, and nothing while it is not known', async () => {
    const authorization = `Basic ${Buffer.from('admin:a-password').toString('base64')}`;
    const status = async (): Promise<unknown> =>
      (await fetch(`${keyferry.url}/admin/status`, { headers: { authorization } })).json();
    await reserved(1);
    await ask();
    expect(await status()).toMatchObject({
      balance: { totalToUse: '100000.00', committed: '6.32', currency: 'EUR', askedAt: expect.any(String) },
    });
    await keyferry.sql(`UPDATE account_balance SET asked_at = now() - interval '601 seconds'`);
    expect(await status()).toMatchObject({ balance: null });
  });
});

describe('an answer that is not understood', () => {
  it('is no balance of zero: the last one stays until it is too old', async () => {
    await accountHas(PLENTY_CENTS);
    keyferry.cws.supplier.balanceCents = Number.NaN;
    await ask();
    expect(await balance()).toMatchObject({ total_to_use_cents: PLENTY_CENTS });
    expect(await alert('low_balance')).toBeNull();
    await reserved(1);
  });

  it('ten times in a row calls a person, and the next one that is understood ends it', async () => {
    keyferry.cws.supplier.balanceCents = Number.NaN;
    for (let question = 1; question <= 10; question += 1) await ask();
    expect(await alert('balance_unknown')).toContain('/v3/accounts/current');
    await accountHas(PLENTY_CENTS);
    expect(await alert('balance_unknown')).toBeNull();
  });
});

describe('a person hears', () => {
  it('when less than LOW_BALANCE_ALERT is left, with the amounts, until there is more again', async () => {
    await reserved(1);
    await accountHas(4999);
    expect(await alert('low_balance')).toBe(
      'the CWS account has 49.99 EUR to use, less than 50.00 EUR (LOW_BALANCE_ALERT); live reservations and paid orders need 6.32 EUR of it',
    );
    await accountHas(5000);
    expect(await alert('low_balance')).toBeNull();
  });

  it('how much is missing when paid orders wait for money, until they are bought', async () => {
    const reservations = [await reserved(5), await reserved(6)];
    keyferry.cws.supplier.balanceCents = 600;
    const orders = await Promise.all(reservations.map((id) => keyferry.customer.order(id)));
    await until(async () => (await alert('balance_too_low'))?.includes('6.64 EUR are missing') ?? false);
    expect(await alert('balance_too_low')).toBe(
      '1 x 6.32 EUR could not be paid; paid orders need 12.64 EUR, the CWS account has 6.00 to use: 6.64 EUR are missing',
    );
    // What CWS said with the refusal counts for new customers too.
    expect(await reserve(1)).toMatchObject(REFUSED);

    keyferry.cws.supplier.balanceCents = PLENTY_CENTS;
    await until(async () => (await alert('balance_too_low')) === null);
    for (const order of orders) if (order.ok) await keyferry.customer.waitForKeys(order.body.order_id, 1, 20_000);
  });

  it('of it as long as money is missing for one of the orders, though another was bought', async () => {
    const open = (): Promise<{ id: string }[]> =>
      keyferry.sql(`SELECT id FROM alerts WHERE kind = 'balance_too_low' AND cleared_at IS NULL`);
    const reservations = [await reserved(5), await reserved(6)];
    keyferry.cws.supplier.balanceCents = 600;
    const orders = await Promise.all(reservations.map((id) => keyferry.customer.order(id)));
    await until(async () => (await alert('balance_too_low'))?.includes('6.64 EUR are missing') ?? false);
    const told = await open();

    keyferry.cws.supplier.balanceCents = 632;
    await until(async () => keyferry.cws.supplier.balanceCents === 0);
    await until(async () => (await alert('balance_too_low'))?.includes('6.32 EUR are missing') ?? false);
    await ask();
    expect([told.length, await open()]).toEqual([1, told]);

    keyferry.cws.supplier.balanceCents = PLENTY_CENTS;
    for (const order of orders) {
      if (order.ok) await until(async () => (await stateOf(order.body.order_id)) === 'completed');
    }
    await until(async () => (await alert('balance_too_low')) === null);
  });

  it('of a refusal for want of money also when CWS says that there is enough', async () => {
    await ask();
    const watch = keyferry.app.get(WatchBalanceService);
    await reserved(5);
    await keyferry.sql(`UPDATE stock_holds SET state = 'owed', expires_at = NULL WHERE state = 'reserved'`);
    await watch.noteRefused({ quantity: 1, priceCapCents: cents(632) });
    await ask();
    expect(await alert('balance_too_low')).toContain('0.00 EUR are missing');
    await watch.noteBought();
    expect(await alert('balance_too_low')).toBeNull();
    await keyferry.sql(`DELETE FROM stock_holds WHERE state = 'owed'`);
  });

  it('nothing more of it once the orders that waited for money were settled by a person', async () => {
    await keyferry.sql(`INSERT INTO alerts (kind, message) VALUES ('balance_too_low', 'left over')`);
    await ask();
    expect(await alert('balance_too_low')).toBeNull();
  });
});

describe('an account in another currency', () => {
  let british: Keyferry;

  beforeAll(async () => {
    british = await startKeyferry({ cws: { balance: 42.5 }, environment: { CWS_TARGET_CURRENCY: 'GBP' } });
  });
  afterAll(() => british.stop());

  it('is compared with LOW_BALANCE_ALERT in euros, as soon as a rate is known', async () => {
    await ask(british);
    expect(await alert('low_balance', british)).toBeNull();
    await british.sql(`INSERT INTO exchange_rates (currency, rate) VALUES ('GBP', 1.17)`);
    await ask(british);
    expect(await alert('low_balance', british)).toContain('42.50 GBP (49.73 EUR) to use');
    await british.sql(`INSERT INTO exchange_rates (currency, rate) VALUES ('GBP', 1.18)`);
    await ask(british);
    expect(await alert('low_balance', british)).toBeNull();
  });

  it('forgets a balance in the currency that it had before', async () => {
    await british.sql(`UPDATE account_balance SET currency = 'EUR', tried_at = now()`);
    british.cws.traffic.behaviors.set({ name: 'answers500', route: ACCOUNT });
    await british.app.get(WatchBalanceService).refresh();
    expect((await british.sql('SELECT * FROM account_balance'))[0]).toMatchObject({
      total_to_use_cents: null,
      currency: null,
      asked_at: null,
    });
  });
});

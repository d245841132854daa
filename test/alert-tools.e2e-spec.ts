import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import type { Alert } from '../src/alerts/alert.entity.js';
import type { OrderDossier } from '../src/orders/order-views.queries.js';
import { AppConfig } from '../src/config/app-config.js';
import { PollPurchaseService } from '../src/orders/poll-purchase.service.js';
import { areLookupsTrusted } from '../src/orders/purchase-sends.queries.js';
import { TryLookupsService } from '../src/orders/try-lookups.service.js';
import { type CommandAnswer, runCommand } from './support/command.js';
import { environment, type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

const NOWHERE = 'http://127.0.0.1:9';

let keyferry: Keyferry;

beforeAll(async () => {
  keyferry = await startKeyferry();
  await mapGames(keyferry, [1, 2]);
  await keyferry.sync();
});
afterAll(() => keyferry.stop());
afterEach(() => {
  keyferry.cws.traffic.behaviors.clear({});
});

const cli = async (...args: string[]): Promise<CommandAnswer> =>
  runCommand({ ...environment(keyferry.cws.url, NOWHERE), DATABASE_URL: keyferry.database.url }, args);

async function cliJson<T>(...args: string[]): Promise<T> {
  const answer = await cli(...args, '--json');
  expect(answer).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(answer.stdout) as T;
}

const openAlerts = (): Promise<Alert[]> => cliJson<Alert[]>('alerts', 'list');

const areTrusted = (): Promise<boolean> =>
  areLookupsTrusted(keyferry.app.get(DataSource).manager, keyferry.app.get(AppConfig, { strict: false }));

const tryLookups = (): Promise<void> => keyferry.app.get(TryLookupsService, { strict: false }).tryThem(0);

const audit = (action: string) =>
  keyferry.sql('SELECT actor, subject_id, details FROM audit_log WHERE action = $1 ORDER BY id', [action]);

interface PurchaseRow {
  readonly id: string;
  readonly client_order_id: string;
  readonly cws_order_id: string;
}

/** Reserves, pays and waits for the key. */
async function buy(game: number): Promise<{ orderId: string; purchase: PurchaseRow }> {
  const reservation = await keyferry.customer.reserve([{ productId: g2aProductId(game), quantity: 1 }]);
  if (!reservation.ok) throw new Error(`not reserved: ${JSON.stringify(reservation)}`);
  const order = await keyferry.customer.order(reservation.body.reservation_id);
  if (!order.ok) throw new Error(`not accepted: ${JSON.stringify(order)}`);
  const orderId = order.body.order_id;
  await keyferry.customer.waitForKeys(orderId, 1, 20_000);
  const [purchase] = await keyferry.sql(
    'SELECT purchase.* FROM purchases purchase JOIN order_items item ON item.id = order_item_id WHERE order_id = $1',
    [orderId],
  );
  return { orderId, purchase };
}

describe('look-ups that have missed an order', () => {
  it('cannot be trusted before each has found one', async () => {
    expect(await cli('purchases', 'trust', '--note', 'x')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('by_id and by_history must first find an order'),
    });
  });

  it('are trusted again when a person says so, until the next miss', async () => {
    await buy(1);
    await tryLookups();
    expect(await cli('purchases', 'trust', '--note', 'x')).toMatchObject({
      code: 0,
      stdout: 'they are trusted already: nothing changed\n',
    });
    keyferry.cws.traffic.behaviors.set({ name: 'appearsAfterSeconds', subject: cwsProductId(1), times: 1 });
    await buy(1);
    await tryLookups();
    expect([await areTrusted(), (await openAlerts()).map(({ kind }) => kind)]).toEqual([
      false,
      ['purchase_lookup_missed'],
    ]);

    const dry = await cli('purchases', 'trust', '--note', 'mended', '--dry-run');
    expect(dry.stdout).toMatch(
      /^both look-ups are trusted \(dry run: not applied\)\n {2}by_id last missed .*\n {2}by_history last missed .*\n {2}alert purchase_lookup_missed would be cleared\n$/,
    );
    expect([await areTrusted(), (await openAlerts()).length]).toEqual([false, 1]);

    expect((await cli('purchases', 'trust', '--note', 'mended')).stdout).toContain('both look-ups are trusted\n');
    expect([await areTrusted(), await openAlerts()]).toEqual([true, []]);
    const details = { missedAt: expect.any(String), note: 'mended' };
    expect(await audit('purchase_lookup.trusted')).toEqual([
      { actor: expect.stringMatching(/^cli:/), subject_id: 'by_id', details },
      { actor: expect.stringMatching(/^cli:/), subject_id: 'by_history', details },
    ]);
    expect(await audit('alert.cleared')).toMatchObject([{ details: { kind: 'purchase_lookup_missed' } }]);

    keyferry.cws.traffic.behaviors.set({ name: 'appearsAfterSeconds', subject: cwsProductId(1), times: 1 });
    await buy(1);
    await tryLookups();
    expect([await areTrusted(), (await openAlerts()).length]).toEqual([false, 1]);
    await cli('purchases', 'trust', '--note', 'mended again');
  });
});

describe('a purchase that CWS made twice', () => {
  it('is shown and exported with all its orders, and its alert is closed by a person', async () => {
    const { orderId, purchase } = await buy(2);
    const { orderId: secondId } = keyferry.cws.orders.place({
      orderId: purchase.client_order_id,
      products: [{ productId: cwsProductId(2), price: null, quantity: 1 }],
    });
    await keyferry.app.get(TryLookupsService, { strict: false }).tryThem(0);
    for (const deadline = Date.now() + 20_000; (await openAlerts()).length < 2;) {
      if (Date.now() > deadline) throw new Error('nobody was told');
      await keyferry.app.get(PollPurchaseService, { strict: false }).poll(purchase.id);
      await sleep(50);
    }

    const dossier = await cliJson<OrderDossier>('orders', 'show', orderId);
    expect(dossier.items[0]!.purchases).toMatchObject([
      { cwsOrderId: purchase.cws_order_id, otherCwsOrderIds: [secondId] },
    ]);
    expect((await cli('orders', 'show', orderId)).stdout).toContain(
      `CWS order ${purchase.cws_order_id} and ${secondId}, `,
    );
    const day = new Date().toISOString().slice(0, 10);
    const rows = await cliJson<Record<string, string>[]>('orders', 'export', '--from', day, '--to', day);
    expect(rows.find((row) => row.order_id === orderId)).toMatchObject({
      cws_order_id: `${purchase.cws_order_id} ${secondId}`,
      quantity_sold: '1',
      quantity_bought: '2',
    });

    expect((await cli('alerts', 'list')).stdout).toMatch(
      new RegExp(`^purchase_duplicated ${purchase.id} {2}since .*\n {2}CWS has 2 orders for one purchase`, 'm'),
    );
    const name = ['alerts', 'clear', 'purchase_duplicated', purchase.id];
    expect(await cli(...name, '--note', 'claimed back')).toMatchObject({ code: 0, stderr: '' });
    expect((await openAlerts()).map(({ kind, subject }) => [kind, subject])).toEqual([['spare_keys', orderId]]);
    expect((await audit('alert.cleared')).at(-1)).toEqual({
      actor: expect.stringMatching(/^cli:/),
      subject_id: expect.any(String),
      details: { kind: 'purchase_duplicated', subject: purchase.id, note: 'claimed back' },
    });
  });
});

describe('an alert that is not open', () => {
  it('is not cleared, and the one who asks is told', async () => {
    const before = [await openAlerts(), await audit('alert.cleared')];
    for (const name of [['spare_keys'], ['spare_keys', 'nothing'], ['nonsense']]) {
      expect(await cli('alerts', 'clear', ...name, '--note', 'x')).toEqual({
        code: 1,
        stdout: '',
        stderr: `No alert ${name.join(' ')} is open, nothing was changed: see 'alerts list'.\n`,
      });
    }
    expect([await openAlerts(), await audit('alert.cleared')]).toEqual(before);
  });

  it('needs a note to be cleared', async () => {
    const answer = await cli('alerts', 'clear', 'spare_keys', '--note', ' ');
    expect(answer.code).toBe(1);
    expect(answer.stderr).toContain('1 to 500 characters');
  });
});

import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { runCommand } from './support/command.js';
import { environment, type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

describe('a CodesWholesale account in pounds', () => {
  let keyferry: Keyferry;

  beforeAll(async () => {
    keyferry = await startKeyferry({
      cws: { products: 5 },
      environment: { CWS_TARGET_CURRENCY: 'GBP', EXCHANGE_RATE_MAX_AGE_HOURS: '24' },
    });
    for (const game of [1, 2]) {
      keyferry.cws.supplier.setProduct(cwsProductId(game), {
        quantity: 20,
        prices: [
          { value: 5.4, from: 1, to: 9 },
          { value: 5.2, from: 10, to: null },
        ],
      });
    }
    await mapGames(keyferry, [1, 2]);
    await keyferry.sync();
  });
  afterAll(() => keyferry.stop());

  const reserve = (game: number, quantity = 1) =>
    keyferry.customer.reserve([{ productId: g2aProductId(game), quantity, unitPrice: '8.18' }]);

  const shown = (game: number) =>
    keyferry.g2a.marketplace.list().find((offer) => offer.productId === g2aProductId(game));

  const desired = async (game: number) =>
    (
      await keyferry.sql(
        `SELECT desired_reason AS reason, desired_price_cents AS price, desired_cost_cents AS cost
         FROM offers WHERE g2a_product_id = $1`,
        [g2aProductId(game)],
      )
    )[0];

  const openAlerts = (): Promise<{ message: string }[]> =>
    keyferry.sql(`SELECT message FROM alerts WHERE kind = 'exchange_rate_missing' AND cleared_at IS NULL`);

  /** By plain SQL, as an owner would. */
  const setRate = (rate: string, margin: string, hoursOld = 0): Promise<unknown> =>
    keyferry.sql(
      `INSERT INTO exchange_rates (currency, rate, margin_percent, as_of)
       VALUES ('GBP', $1, $2, now() - make_interval(hours => $3))`,
      [rate, margin, hoursOld],
    );

  /** What no owner can do: the table is append-only. */
  async function makeOlder(hours: number): Promise<void> {
    await keyferry.sql('ALTER TABLE exchange_rates DISABLE TRIGGER exchange_rates_is_append_only');
    await keyferry.sql('UPDATE exchange_rates SET as_of = as_of - make_interval(hours => $1)', [hours]);
    await keyferry.sql('ALTER TABLE exchange_rates ENABLE TRIGGER exchange_rates_is_append_only');
  }

  it('sells nothing while no rate is known, and says so', async () => {
    expect(await desired(1)).toEqual({ reason: 'no_exchange_rate', price: null, cost: null });
    expect(shown(1)).toMatchObject({ active: false, size: 0 });
    expect(await reserve(1)).toMatchObject({
      status: 503,
      error: { code: 'no_exchange_rate' },
      retryAfterSeconds: 300,
    });
    expect(await openAlerts()).toEqual([{ message: expect.stringContaining('no rate of GBP is known') }]);
  });

  it('sells nothing by a rate that is too old, and says since when', async () => {
    await setRate('1.17', '2', 25);
    await keyferry.sync();
    expect(await desired(1)).toMatchObject({ reason: 'no_exchange_rate' });
    expect(await reserve(1)).toMatchObject({ status: 503, error: { code: 'no_exchange_rate' } });
    expect(await openAlerts()).toEqual([{ message: expect.stringMatching(/GBP, as of \d{4}-.*older than 24 h/) }]);
  });

  it('is sold at the price that the rate and its margin make, rounded up', async () => {
    await setRate('1.17', '2', 23);
    await keyferry.sync();
    // 5.40 x 1.17 x 1.02 = 6.44436, so 6.45; (6.45 + 0.50) / 0.85 = 8.1765, so 8.18.
    expect(await desired(1)).toEqual({ reason: 'for_sale', price: 818, cost: 645 });
    expect(shown(1)).toMatchObject({ active: true, size: 20, retailCents: 818 });
    expect(await openAlerts()).toEqual([]);
  });

  it('is bought for at most what CodesWholesale asks, in pounds', async () => {
    const reservation = await reserve(1, 10);
    if (!reservation.ok) throw new Error(`not reserved: ${JSON.stringify(reservation)}`);
    const order = await keyferry.customer.order(reservation.body.reservation_id);
    if (!order.ok) throw new Error(`not accepted: ${JSON.stringify(order)}`);
    await keyferry.customer.waitForKeys(order.body.order_id, 10, 20_000);
    expect(keyferry.cws.orders.ledger().orders.map((bought) => bought.lines[0]?.capCents)).toEqual([520]);
    expect(await keyferry.sql('SELECT price_cap_cents, unit_price_cents FROM purchases')).toEqual([
      { price_cap_cents: 520, unit_price_cents: 520 },
    ]);
  });

  it('buys what is already paid by the last rate, although it has grown too old to sell by', async () => {
    const reservation = await reserve(2);
    if (!reservation.ok) throw new Error(`not reserved: ${JSON.stringify(reservation)}`);
    await makeOlder(48);
    const order = await keyferry.customer.order(reservation.body.reservation_id);
    if (!order.ok) throw new Error(`not accepted: ${JSON.stringify(order)}`);
    // Nothing more can be reserved.
    expect(order.body.stock).toMatchObject([{ inventory_size: 0 }]);
    await keyferry.customer.waitForKeys(order.body.order_id, 1, 20_000);
    await keyferry.sync();
    expect(shown(2)).toMatchObject({ active: false, size: 0 });
    expect(await openAlerts()).toHaveLength(1);
  });

  const rates = (...args: string[]) =>
    runCommand({ ...environment('http://127.0.0.1:9', 'http://127.0.0.1:9'), DATABASE_URL: keyferry.database.url }, [
      'rates',
      ...args,
    ]);

  it('is sold again after a person has entered a rate by command', async () => {
    expect(await rates('set', 'gbp', '1.2', '--margin', '1.5')).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^1 GBP = 1.2 EUR {2}\+ 1.5 % = 1.218 EUR {2}as of \S+Z {2}by cli:\S+\n$/),
    });
    await keyferry.sync();
    // 5.40 x 1.218 = 6.5772, so 6.58; (6.58 + 0.50) / 0.85 = 8.3294.
    expect(shown(2)).toMatchObject({ active: true, retailCents: 833 });
    expect(await openAlerts()).toEqual([]);
    const [audited] = await keyferry.sql(
      `SELECT actor, subject_id, details FROM audit_log WHERE action = 'exchange_rate.set' ORDER BY id DESC LIMIT 1`,
    );
    expect(audited).toMatchObject({
      actor: expect.stringMatching(/^cli:/),
      subject_id: 'GBP',
      details: { rate: expect.stringMatching(/^1\.20*$/), marginPercent: '1.5000' },
    });
  });

  it('is protected from slips of the pen', async () => {
    const slips: [args: string[], complaint: RegExp][] = [
      [['GBP', '12', '--margin', '1'], /more than 20 % from 1.2,.*--force/],
      [['EUR', '1', '--margin', '1'], /^currency "EUR" needs no rate\n$/],
      [['GBP', '1.2', '--margin', '1', '--as-of', '2126-01-01'], /in the future/],
      [['GBP', '1.2', '--margin', '1', '--as-of', '2026-02-31'], /neither a day/],
      [['GBP', '1.2'], /--margin/],
    ];
    const answers = await Promise.all(slips.map(([args]) => rates('set', ...args)));
    answers.forEach(({ code, stdout, stderr }, index) => {
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(slips[index]![1]);
    });
    // An older quotation is kept, and does not count.
    expect(await rates('set', 'GBP', '0.5', '--margin', '1', '--as-of', '2020-01-31', '--force')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('still counts'),
    });
    expect(JSON.parse((await rates('list', '--json')).stdout)).toEqual([
      {
        currency: 'GBP',
        rate: '1.2',
        marginPercent: '1.5',
        rateWithMargin: '1.218',
        asOf: expect.any(String),
        createdAt: expect.any(String),
        actor: expect.stringMatching(/^cli:/),
      },
    ]);
    expect((await rates('list', 'gbp')).stdout.trim().split('\n')).toHaveLength(4);
  });

  it('is not promised at the old price once the pound has risen', async () => {
    // 5.40 x 1.4 x 1.02 = 7.7112, so 7.72; 8.33 brings 7.08 after the fee.
    await setRate('1.4', '2');
    expect(await reserve(1)).toMatchObject({ status: 400, error: { code: 'price_too_low' } });
    await keyferry.sync();
    // (7.72 + 0.50) / 0.85 = 9.6706.
    expect(shown(1)).toMatchObject({ active: true, retailCents: 968 });
  });

  it('has its rates kept: by SQL they cannot be changed, deleted, or entered wrong', async () => {
    for (const statement of ['UPDATE exchange_rates SET rate = 2', 'DELETE FROM exchange_rates']) {
      await expect(keyferry.sql(statement)).rejects.toThrow('append-only');
    }
    for (const values of [`'eur', 1, 0`, `'EUR', 1, 0`, `'USD', 0, 0`, `'USD', 'NaN', 0`, `'USD', 1, -1`]) {
      await expect(
        keyferry.sql(`INSERT INTO exchange_rates (currency, rate, margin_percent) VALUES (${values})`),
      ).rejects.toThrow('exchange_rates_');
    }
    await expect(
      keyferry.sql(`INSERT INTO exchange_rates (currency, rate, as_of) VALUES ('USD', 1, now() + interval '1 hour')`),
    ).rejects.toThrow('exchange_rates_as_of_has_passed');
  });
});

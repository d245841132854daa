import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cwsAlternativeProductId, cwsProductId, g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import { ReconcileOffersService } from '../src/sync/reconcile-offers.service.js';
import { type CommandAnswer, runCommand } from './support/command.js';
import { environment, type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

const PASSWORD = 'a-password';
const BANDS = [
  { value: 6.32, from: 1, to: 9 },
  { value: 5.9, from: 10, to: null },
];
/** Not in the supplier's catalogue. */
const NOBODYS_PRODUCT = '00000000-0000-4000-8000-999999999999';
const UNKNOWN_PRODUCT = 99;

let keyferry: Keyferry;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyferry-price-'));
  keyferry = await startKeyferry({
    cws: { products: 30, alternatives: 30 },
    environment: { ADMIN_PASSWORD: PASSWORD, PRICE_SIMULATION: 'off' },
  });
  for (let game = 1; game <= 30; game += 1) {
    keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 20, prices: BANDS });
  }
  keyferry.cws.supplier.setProduct(cwsAlternativeProductId(1), {
    quantity: 0,
    prices: [{ value: 6, from: 1, to: null }],
  });
  await mapGames(keyferry, [1, 2, 3, 4, 5, 6]);
  await keyferry.sql(`INSERT INTO product_mapping_suppliers VALUES ($1, $2, 1)`, [
    g2aProductId(1),
    cwsAlternativeProductId(1),
  ]);
  await keyferry.sync();
});
afterAll(async () => {
  await keyferry.stop();
  await rm(folder, { recursive: true });
});

function run(...args: string[]): Promise<CommandAnswer> {
  return runCommand(
    {
      ...environment(keyferry.cws.url, keyferry.g2a.url),
      DATABASE_URL: keyferry.database.url,
      PRICE_SIMULATION: 'sample',
    },
    ['price', ...args],
  );
}

/** What a command that went well says. */
async function said(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

async function admin(path: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const authorization = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`;
  const response = await fetch(`${keyferry.url}/admin/products/${path}`, { headers: { authorization } });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const explained = async (game: number) => (await admin(`${g2aProductId(game)}/price`)).body;

async function setSupplier(game: number, price: number): Promise<void> {
  keyferry.cws.supplier.setProduct(cwsProductId(game), { prices: [{ value: price, from: 1, to: null }] });
  await keyferry.sync();
}

describe('the explanation of a price', () => {
  it('names every number in order', async () => {
    const table = await said('explain', String(g2aProductId(1)));
    const lines = table.split('\n').map((line) => line.split(/ {2,}/).slice(0, 2));
    expect(lines[0]).toEqual([`G2A product ${g2aProductId(1)}, in EUR`]);
    expect(Object.fromEntries(lines.map(([step, number]) => [step, number]))).toMatchObject({
      cost: '6.32',
      profit: '0.50',
      'fee of the price': '0.15',
      'price, exact': '8.02352…',
      'price, rounded': '8.03',
      'declared stock': '20',
      result: '8.03',
    });
    expect(table).toMatch(`${cwsProductId(1)}: chosen: the cheapest that can deliver`);
  });

  it('is the same for programs, from the command and from the admin route', async () => {
    const { status, body } = await admin(`${g2aProductId(1)}/price`);
    expect(status).toBe(200);
    expect(JSON.parse(await said('explain', String(g2aProductId(1)), '--json'))).toEqual(body);
    expect(body).toMatchObject({
      isForSale: true,
      reason: 'for_sale',
      price: '8.03',
      businessPrice: '8.03',
      size: 20,
      offer: { g2aOfferId: g2aOfferId(1), visibility: 'all' },
      exchangeRate: null,
      suppliers: [
        {
          cwsProductId: cwsProductId(1),
          verdict: 'chosen',
          available: 20,
          bands: [
            { fromQuantity: 1, toQuantity: 9, unitPrice: '6.32' },
            { fromQuantity: 10, toQuantity: null, unitPrice: '5.90' },
          ],
        },
        { cwsProductId: cwsAlternativeProductId(1), verdict: 'out_of_stock', unitPrice: '6.00' },
      ],
      calculation: {
        cost: '6.32',
        profit: { fixed: '0.50', percent: '0', share: '0.00', required: '0.50' },
        fee: { percentage: '0.15', fixed: '0.00' },
        unroundedPrice: '8.02352…',
        roundedPrice: '8.03',
        charmEnding: null,
        prices: [
          { audience: 'retail', price: '8.03', income: '6.82' },
          { audience: 'business', price: '8.03' },
        ],
      },
      stock: { deliverable: 20, buffer: 0 },
    });
  });

  it('goes by the terms of the mapping, and so does the offer', async () => {
    await keyferry.sql(
      `UPDATE product_mappings SET fee_fixed_cents = 35, charm_ending = '.49' WHERE g2a_product_id = $1`,
      [g2aProductId(2)],
    );
    await keyferry.sync();
    expect(keyferry.g2a.marketplace.offer(g2aOfferId(2))).toMatchObject({ active: true, retailCents: 849 });
    expect(await explained(2)).toMatchObject({
      price: '8.49',
      calculation: { fee: { fixed: '0.35' }, roundedPrice: '8.44', charmEnding: '.49' },
    });
  });

  it.each<[string, number, string, Record<string, unknown>]>([
    ['disabled', 3, 'UPDATE product_mappings SET is_enabled = false WHERE g2a_product_id = $1', { isEnabled: false }],
    ['unmapped', 4, 'DELETE FROM product_mappings WHERE g2a_product_id = $1', { isMapped: false, calculation: null }],
    [
      'price_above_maximum',
      5,
      'UPDATE product_mappings SET max_price_cents = 800 WHERE g2a_product_id = $1',
      { calculation: { roundedPrice: '8.03', bounds: { mapping: { maxPrice: '8.00' } } } },
    ],
  ])('says why a product is not sold: %s', async (reason, game, statement, details) => {
    await keyferry.sql(statement, [g2aProductId(game)]);
    expect(await explained(game)).toMatchObject({ isForSale: false, price: null, reason, ...details });
  });

  it('says of a product without an offer what it would cost, and of a supplier that nobody asked yet', async () => {
    await mapGames(keyferry, [20]);
    expect(await explained(20)).toMatchObject({
      reason: 'no_supplier_data',
      unseenSuppliers: [cwsProductId(20)],
      suppliers: [],
    });
  });

  it('says which price of the supplier is not believed yet', async () => {
    await setSupplier(6, 0.07);
    expect(await explained(6)).toMatchObject({
      price: '8.03',
      suppliers: [{ unconfirmedBands: [{ unitPrice: '0.07' }], bands: [{ unitPrice: '6.32' }, { unitPrice: '5.90' }] }],
    });
    const table = await said('explain', String(g2aProductId(6)));
    expect(table).toMatch('not believed yet: 0.07 (from 1)');
    expect(table).toMatch(/\nresult +8\.03 {2}for sale\n$/);
  });

  it('has a clear answer for what is unknown', async () => {
    expect(await admin(`${UNKNOWN_PRODUCT}/price`)).toMatchObject({ status: 404, body: { code: 'offer_not_found' } });
    expect(await run('explain', String(UNKNOWN_PRODUCT))).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `Product ${UNKNOWN_PRODUCT} is not sold: no mapping names it, and no offer of ours is known.\n`,
    });
  });
});

describe('the history of prices', () => {
  const prices = async (game = 10) =>
    (await admin(`${g2aProductId(game)}/price-history`)).body.prices as Record<string, unknown>[];
  const readListing = () => keyferry.app.get(ReconcileOffersService).readAll();

  it('keeps each published price with the cost behind it and what a sale left', async () => {
    await mapGames(keyferry, [10]);
    await keyferry.sync();
    await setSupplier(10, 7);
    await keyferry.sync();
    const entry = { cwsProductId: cwsProductId(10), margin: '0.50' };
    expect(await prices()).toMatchObject([
      { ...entry, retailPrice: '8.83', businessPrice: '8.83', cost: '7.00', income: '7.50' },
      { ...entry, retailPrice: '8.03', businessPrice: '8.03', cost: '6.32', income: '6.82' },
    ]);
  });

  it('keeps what changes behind a price that stays', async () => {
    await keyferry.sql(`UPDATE product_mappings SET charm_ending = '.99' WHERE g2a_product_id = $1`, [
      g2aProductId(10),
    ]);
    await keyferry.sync();
    await keyferry.app.get(ReconcileOffersService).readAll();
    await setSupplier(10, 6.8);
    expect((await prices()).slice(0, 3)).toMatchObject([
      { retailPrice: '8.99', cost: '6.80', margin: '0.84' },
      { retailPrice: '8.99', cost: '7.00', margin: '0.64' },
      { retailPrice: '8.83', cost: '7.00', margin: '0.50' },
    ]);
  });

  it('has no second row for a price that is sent again', async () => {
    const before = await prices();
    keyferry.g2a.marketplace.edit(g2aOfferId(10), { price: '7.00' });
    await keyferry.app.get(ReconcileOffersService).readAll();
    await keyferry.sync();
    expect(keyferry.g2a.marketplace.offer(g2aOfferId(10))).toMatchObject({ retailCents: 899 });
    expect(await prices()).toEqual(before);
  });

  it('keeps the cost that was new when an offer came back at its old price', async () => {
    await mapGames(keyferry, [17]);
    await keyferry.sql(`UPDATE product_mappings SET charm_ending = '.99' WHERE g2a_product_id = $1`, [
      g2aProductId(17),
    ]);
    await setSupplier(17, 6.8);
    keyferry.cws.supplier.setProduct(cwsProductId(17), { quantity: 0 });
    await keyferry.sync();
    expect(keyferry.g2a.marketplace.offer(g2aOfferId(17))).toMatchObject({ active: false });
    await readListing();
    keyferry.cws.supplier.setProduct(cwsProductId(17), { quantity: 20 });
    await setSupplier(17, 7);
    expect(keyferry.g2a.marketplace.offer(g2aOfferId(17))).toMatchObject({ active: true, retailCents: 899 });
    expect(await prices(17)).toMatchObject([
      { retailPrice: '8.99', cost: '7.00', margin: '0.64' },
      { retailPrice: '8.99', cost: '6.80', margin: '0.84' },
    ]);
  });

  it('has no price that G2A has refused, but what the old one then cost', async () => {
    await mapGames(keyferry, [16]);
    await keyferry.sync();
    await readListing();
    const offer = () => keyferry.g2a.marketplace.offer(g2aOfferId(16));
    const old = { retailPrice: '8.03', businessPrice: '8.03', cost: '6.32', income: '6.82' };
    // A change of both prices is refused now.
    offer().visibility = 'retail';
    await setSupplier(16, 7);
    expect(offer()).toMatchObject({ active: true, retailCents: 803 });
    const refused = await prices(16);
    expect(refused).toMatchObject([{ ...old, cost: '7.00', margin: '-0.18' }, old]);

    offer().visibility = 'all';
    await keyferry.sql('UPDATE offers SET retry_at = now() WHERE retry_at IS NOT NULL');
    await keyferry.sync();
    expect(offer()).toMatchObject({ active: true, retailCents: 883 });
    expect(await prices(16)).toMatchObject([{ retailPrice: '8.83', cost: '7.00', margin: '0.50' }, ...refused]);
  });

  it('keeps a price whose row could not be written when G2A accepted it, as soon as the listing shows it', async () => {
    await keyferry.sql(`
      CREATE FUNCTION fail_to_keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'crash'; END $$;
      CREATE TRIGGER fail_to_keep BEFORE INSERT ON price_history FOR EACH ROW
        WHEN (NEW.g2a_product_id = ${g2aProductId(18)}) EXECUTE FUNCTION fail_to_keep()`);
    await mapGames(keyferry, [18]);
    await keyferry.sync();
    await keyferry.sql('DROP FUNCTION fail_to_keep CASCADE');
    expect(keyferry.g2a.marketplace.offer(g2aOfferId(18))).toMatchObject({ active: true, retailCents: 803 });
    expect(await prices(18)).toEqual([]);
    await readListing();
    expect(await prices(18)).toMatchObject([{ retailPrice: '8.03', businessPrice: '8.03', cost: '6.32' }]);
  });

  it('is printed newest first, as a table or as JSON', async () => {
    const id = String(g2aProductId(10));
    const [table, json] = await Promise.all([said('history', id, '--limit', '1'), said('history', id, '--json')]);
    const [header, newest] = table.split('\n');
    expect(header).toMatch(/^time +price +for companies +cost +after fees +margin +supplier$/);
    expect(newest).toMatch(/^\S+ +8\.99 +8\.99 +6\.80 +7\.64 +0\.84 +\S+$/);
    expect(JSON.parse(json)).toEqual({ g2aProductId: g2aProductId(10), prices: await prices() });
  });

  it('cannot be changed', async () => {
    for (const statement of [
      'UPDATE price_history SET cost_cents = 1',
      'DELETE FROM price_history',
      'TRUNCATE price_history',
    ]) {
      await expect(keyferry.sql(statement)).rejects.toThrow('price_history is append-only');
    }
  });
});

describe('a refused change', () => {
  it('waits for its back-off also when the cost behind the same price changes, and not when the price does', async () => {
    await mapGames(keyferry, [19]);
    await keyferry.sync();
    const offer = () => keyferry.g2a.marketplace.offer(g2aOfferId(19));
    offer().visibility = 'retail';
    await keyferry.sql(`UPDATE product_mappings SET charm_ending = '.99' WHERE g2a_product_id = $1`, [
      g2aProductId(19),
    ]);
    await keyferry.sync();
    const state = () =>
      keyferry.sql<object[]>(
        `SELECT desired_cost_cents AS cost, desired_price_cents AS price, failure_count AS failures,
           retry_at > now() AS "isWaiting" FROM offers WHERE g2a_offer_id = $1`,
        [g2aOfferId(19)],
      );
    await keyferry.sql(`UPDATE offers SET retry_at = now() + interval '1 hour' WHERE g2a_offer_id = $1`, [
      g2aOfferId(19),
    ]);
    await setSupplier(19, 6.8);
    expect(await state()).toEqual([{ cost: 680, price: 899, failures: 1, isWaiting: true }]);
    offer().visibility = 'all';
    await setSupplier(19, 8);
    expect(await state()).toMatchObject([{ cost: 800, price: 1099 }]);
    expect(offer()).toMatchObject({ active: true, retailCents: 1099 });
  });
});

describe("G2A's limits of a price", () => {
  it('hold while the listing does not name them, and end when it names none', async () => {
    await mapGames(keyferry, [21]);
    await keyferry.sync();
    const { marketplace } = keyferry.g2a;
    const syncWithListing = async () => {
      await keyferry.app.get(ReconcileOffersService).readAll();
      await keyferry.sync();
    };
    marketplace.edit(g2aOfferId(21), { priceLimit: { min: '1.00', max: '8.00' } });
    await syncWithListing();
    expect(await explained(21)).toMatchObject({ reason: 'price_above_maximum' });
    delete marketplace.offer(g2aOfferId(21)).priceLimit;
    await syncWithListing();
    expect(await explained(21)).toMatchObject({ reason: 'price_above_maximum' });
    marketplace.edit(g2aOfferId(21), { priceLimit: { min: '9.00' } });
    await syncWithListing();
    expect(await explained(21)).toMatchObject({ isForSale: true, price: '9.00' });
    marketplace.edit(g2aOfferId(21), { priceLimit: {} });
    await syncWithListing();
    expect(marketplace.offer(g2aOfferId(21))).toMatchObject({ active: true, retailCents: 803 });
  });
});

describe('the preview of a mapping file', () => {
  const row = (game: number, rest: object = {}) => ({
    g2aProductId: g2aProductId(game),
    cwsProductIds: [cwsProductId(game)],
    ...rest,
  });

  let files = 0;
  async function preview(rows: object[], ...options: string[]): Promise<string> {
    files += 1;
    const file = join(folder, `mappings-${files}.json`);
    await writeFile(file, JSON.stringify(rows));
    return said('preview', '--file', file, ...options);
  }

  /** Everything that a preview must not touch. */
  async function state(): Promise<unknown> {
    const stored = await keyferry.sql(
      `SELECT (SELECT count(*) FROM audit_log) AS audited, (SELECT jsonb_agg(p ORDER BY p) FROM product_mappings p) AS mappings,
         (SELECT jsonb_agg(s ORDER BY s.cws_product_id) FROM supplier_products s) AS suppliers,
         (SELECT jsonb_agg(o ORDER BY o.g2a_offer_id) FROM offers o) AS offers,
         (SELECT jsonb_agg(s ORDER BY s) FROM price_simulations s) AS simulations,
         (SELECT jsonb_agg(h ORDER BY h.id) FROM price_history h) AS history,
         (SELECT jsonb_agg(a ORDER BY a.id) FROM alerts a) AS alerts,
         (SELECT jsonb_agg(m ORDER BY m.id) FROM schema_migrations m) AS migrations`,
    );
    return { stored, requestsToG2a: keyferry.g2a.traffic.requests().length };
  }

  it('prices it from what is known and from what CWS says now, and touches nothing', async () => {
    const before = await state();
    const rows = JSON.parse(
      await preview(
        [
          row(1, { fixedProfit: '1.00' }),
          row(11),
          row(12, { feePercentage: '0', cwsProductIds: [NOBODYS_PRODUCT, cwsProductId(12)] }),
          row(13, { maxPrice: '8.00' }),
          row(14, { enabled: false }),
          row(15, { cwsProductIds: [NOBODYS_PRODUCT] }),
        ],
        '--json',
      ),
    ) as object[];
    const nothing = { price: null, cost: null, fees: null, profit: null, stock: 0 };
    expect(rows).toMatchObject([
      {
        cost: '6.32',
        price: '8.62',
        businessPrice: '8.62',
        fees: '1.30',
        profit: '1.00',
        stock: 20,
        reason: 'for_sale',
      },
      {
        cost: '6.32',
        price: '8.03',
        fees: '1.21',
        profit: '0.50',
        cwsProductId: cwsProductId(11),
        unknownSuppliers: [],
      },
      { price: '6.82', fees: '0.00', cwsProductId: cwsProductId(12), unknownSuppliers: [NOBODYS_PRODUCT] },
      { ...nothing, reason: 'price_above_maximum' },
      { ...nothing, reason: 'disabled' },
      { ...nothing, reason: 'no_supplier_data', unknownSuppliers: [NOBODYS_PRODUCT] },
    ]);
    expect(await state()).toEqual(before);
  });

  it('believes a supplier that it asks anew no more than the service would', async () => {
    await mapGames(keyferry, [22, 23]);
    await keyferry.sync();
    // Not followed any more, so only asking again tells of it.
    await keyferry.sql('DELETE FROM product_mappings WHERE g2a_product_id = ANY ($1)', [
      [g2aProductId(22), g2aProductId(23)],
    ]);
    await keyferry.sql(
      `UPDATE supplier_products SET requested_at = requested_at - interval '2 days' WHERE cws_product_id = ANY ($1)`,
      [[cwsProductId(22), cwsProductId(23)]],
    );
    keyferry.cws.supplier.setProduct(cwsProductId(22), { prices: [{ value: 0.07, from: 1, to: null }] });
    keyferry.cws.supplier.setProduct(cwsProductId(23), { prices: [{ value: 20, from: 1, to: null }] });
    const before = await state();
    expect(JSON.parse(await preview([row(22), row(23)], '--json'))).toMatchObject([
      { cost: '6.32', price: '8.03', reason: 'for_sale' },
      { cost: null, price: null, reason: 'price_unconfirmed' },
    ]);
    expect(await state()).toEqual(before);
  });

  it('is refused while migrations are pending, and applies none; so are the explanation and the history', async () => {
    const [migration] = await keyferry.sql<[{ id: number; timestamp: number; name: string }]>(
      'SELECT id, timestamp, name FROM schema_migrations ORDER BY id DESC LIMIT 1',
    );
    await keyferry.sql('DELETE FROM schema_migrations WHERE id = $1', [migration.id]);
    const before = await state();
    const file = join(folder, 'pending.json');
    await writeFile(file, JSON.stringify([row(11)]));
    const id = String(g2aProductId(1));
    const answers = await Promise.all([run('preview', '--file', file), run('explain', id), run('history', id)]);
    expect(await state()).toEqual(before);
    await keyferry.sql('INSERT INTO schema_migrations (timestamp, name) VALUES ($1, $2)', [
      migration.timestamp,
      migration.name,
    ]);
    for (const answer of answers) {
      expect(answer).toEqual({
        code: 1,
        stdout: '',
        stderr:
          'This command changes nothing, and 1 migration is pending: apply them first, with: npm run cli -- migrate\n',
      });
    }
  });

  it('is a table for people and CSV for spreadsheets', async () => {
    const [table, csv] = await Promise.all([
      preview([row(11), row(15, { cwsProductIds: [NOBODYS_PRODUCT] })]),
      preview([row(11)], '--csv'),
    ]);
    const [header, priced] = table.split('\n');
    expect(header).toMatch(/^product +cost +price +for companies +fees +profit +stock +result$/);
    expect(priced).toMatch(/^\d+ +6\.32 +8\.03 +8\.03 +1\.21 +0\.50 +20 +for_sale$/);
    expect(table).toMatch(`${g2aProductId(15)}: CodesWholesale does not list ${NOBODYS_PRODUCT}`);
    expect(csv.split(/\r?\n/)).toEqual([
      'g2aProductId,cost,price,businessPrice,fees,profit,stock,reason,unknownSuppliers',
      `${g2aProductId(11)},6.32,8.03,8.03,1.21,0.50,20,for_sale,`,
      '',
    ]);
  });

  it('is refused like the import when the file is bad, and when CWS cannot be asked', async () => {
    const file = join(folder, 'bad.csv');
    await writeFile(file, `g2aProductId,cwsProductId,charmEnding,feeFixed\n1,${cwsProductId(1)},.95,-1\n`);
    expect(await run('preview', '--file', file)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/line 2, feeFixed: "-1\.00" must not[^]+line 2, charmEnding: "\.95" is not one of/),
    });
    await writeFile(file, `g2aProductId,cwsProductId\n1,${cwsProductId(25)}\n`);
    keyferry.cws.traffic.behaviors.set({ name: 'answers500' });
    const { code, stderr } = await run('preview', '--file', file);
    keyferry.cws.traffic.behaviors.clear({});
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^CodesWholesale cannot be asked: .*\n$/),
    });
  });
});

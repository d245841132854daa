import { DataSource } from 'typeorm';
import { cwsAlternativeProductId, cwsProductId, g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import { storeSupplierReports } from '../src/catalog/store-supplier-reports.js';
import { storedProducts, writeSupplierReports } from '../src/catalog/supplier-products.queries.js';
import { cents } from '../src/money/cents.js';
import { UnconfirmedPricesService } from '../src/sync/unconfirmed-prices.service.js';
import { runCommand } from './support/command.js';
import { environment, type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

const GAMES = [1, 2, 3, 4, 5, 6, 7];

describe('a supplier price that is hard to believe', () => {
  let keyferry: Keyferry;

  const shows = (game: number, value: number | null): void => {
    const prices = value === null ? [] : [{ value, from: 1, to: null }];
    keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity: 20, prices });
  };
  const offer = (game: number) => {
    const { active, size, retailCents } = keyferry.g2a.marketplace.offer(g2aOfferId(game));
    return active ? { active, size, retailCents } : { active };
  };
  const reason = async (game: number): Promise<unknown> => {
    const [row] = await keyferry.sql<{ reason: string }[]>(
      'SELECT desired_reason AS reason FROM offers WHERE g2a_product_id = $1',
      [g2aProductId(game)],
    );
    return row?.reason;
  };
  /** As if the price had been seen first before the interval. */
  const letTheIntervalPass = () =>
    keyferry.sql(`UPDATE supplier_products SET unconfirmed_since = unconfirmed_since - interval '1 hour'`);
  const openAlert = async (game: number): Promise<string | null> => {
    const [row] = await keyferry.sql<{ message: string }[]>(
      `SELECT message FROM alerts WHERE kind = 'supplier_price_unconfirmed' AND subject = $1 AND cleared_at IS NULL`,
      [cwsProductId(game)],
    );
    return row?.message ?? null;
  };
  const audit = async (game: number): Promise<string[]> => {
    const rows = await keyferry.sql<{ entry: string }[]>(
      `SELECT actor || ' ' || action AS entry FROM audit_log
       WHERE subject_type = 'supplier_product' AND subject_id = $1 ORDER BY id`,
      [cwsProductId(game)],
    );
    return rows.map(({ entry }) => entry);
  };
  const admin = async (path: string, method = 'POST', body?: object) => {
    const authorization = `Basic ${Buffer.from('admin:se:cret').toString('base64')}`;
    const answer = await fetch(`${keyferry.url}/admin/${path}`, {
      method,
      headers: body === undefined ? { authorization } : { authorization, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json() };
  };
  const cli = (...args: string[]) =>
    runCommand({ ...environment(keyferry.cws.url, keyferry.g2a.url), DATABASE_URL: keyferry.database.url }, args);

  beforeAll(async () => {
    keyferry = await startKeyferry({
      cws: { products: 50, alternatives: 50 },
      environment: { ADMIN_PASSWORD: 'se:cret', PRICE_SIMULATION: 'off' },
    });
    for (const game of GAMES) shows(game, 6.32);
    await mapGames(keyferry, GAMES);
    await keyferry.sync();
  });
  afterAll(() => keyferry.stop());

  it('is not published when it is a hundredth of the last one, though the feed repeats it', async () => {
    shows(1, 0.07);
    await keyferry.sync();
    await keyferry.sync();
    expect(offer(1)).toEqual({ active: true, size: 20, retailCents: 803 });
    expect(await openAlert(1)).toContain('6.32 (from 1) -> 0.07 (from 1)');
    expect(await audit(1)).toEqual(['sync supplier_product.price_suspected']);
  });

  it('is told once, and shown to people beside the accepted one', async () => {
    expect(
      await keyferry.sql(`SELECT raised_count FROM alerts WHERE kind = 'supplier_price_unconfirmed' AND subject = $1`, [
        cwsProductId(1),
      ]),
    ).toEqual([{ raised_count: 1 }]);
    expect(await admin(`offers/${g2aProductId(1)}`, 'GET')).toMatchObject({
      body: {
        suppliers: [
          {
            snapshot: {
              priceBands: [{ unitPrice: '6.32' }],
              unconfirmed: { priceBands: [{ unitPrice: '0.07' }], reason: 'price_changed' },
            },
          },
        ],
      },
    });
  });

  it('is published when CWS, asked for the product after the interval, shows it still', async () => {
    await letTheIntervalPass();
    await keyferry.sync();
    // (0.07 + 0.50) / 0.85
    expect(offer(1)).toEqual({ active: true, size: 20, retailCents: 68 });
    expect(await openAlert(1)).toBeNull();
    expect((await audit(1)).at(-1)).toBe('sync supplier_product.price_confirmed');
  });

  it('begins to wait anew when it changes meanwhile', async () => {
    shows(2, 0.07);
    await keyferry.sync();
    await letTheIntervalPass();
    shows(2, 0.08);
    await keyferry.sync();
    await keyferry.sync();
    expect(offer(2)).toEqual({ active: true, size: 20, retailCents: 803 });
    expect(await openAlert(2)).toContain('-> 0.08');
  });

  it('is forgotten when the old one is shown again', async () => {
    shows(2, 6.32);
    await keyferry.sync();
    expect(await openAlert(2)).toBeNull();
    expect((await audit(2)).at(-1)).toBe('sync supplier_product.price_withdrawn');
    expect(offer(2)).toEqual({ active: true, size: 20, retailCents: 803 });
  });

  it('stops the offer when it has risen so much that the old price would lose money, until it is confirmed', async () => {
    shows(3, 12);
    await keyferry.sync();
    expect(offer(3)).toEqual({ active: false });
    expect(await reason(3)).toBe('price_unconfirmed');
    await letTheIntervalPass();
    await keyferry.sync();
    // (12.00 + 0.50) / 0.85 = 14.705…
    expect(offer(3)).toEqual({ active: true, size: 20, retailCents: 1471 });
  });

  it('is not reserved at a loss while G2A still shows the old price', async () => {
    shows(4, 12);
    await storeSupplierReports(
      keyferry.app.get(DataSource).manager,
      [
        {
          cwsProductId: cwsProductId(4),
          name: 'Game 4',
          quantity: 20,
          priceBands: [{ fromQuantity: 1, toQuantity: null, unitPrice: cents(1200) }],
          releaseDate: null,
        },
      ],
      { requestedAt: new Date(), isAskedById: false },
      { maxChangePercent: 70, confirmAfterSeconds: 3600 },
    );
    const answer = await keyferry.customer.reserve([{ productId: g2aProductId(4), quantity: 1 }]);
    expect(answer).toMatchObject({ status: 400, error: { code: 'price_too_low' } });
  });

  it('leaves the sale to the next supplier', async () => {
    keyferry.cws.supplier.setProduct(cwsAlternativeProductId(4), {
      quantity: 3,
      prices: [{ value: 7, from: 1, to: null }],
    });
    await keyferry.sql('INSERT INTO product_mapping_suppliers VALUES ($1, $2, 1)', [
      g2aProductId(4),
      cwsAlternativeProductId(4),
    ]);
    await keyferry.sync();
    expect(offer(4)).toEqual({ active: true, size: 3, retailCents: 883 });
  });

  it('stops the offer when there is none any more, however often that is seen, and is measured by the last one after', async () => {
    shows(5, null);
    await keyferry.sync();
    await letTheIntervalPass();
    await keyferry.sql(`UPDATE supplier_products SET requested_at = now() - interval '2 minutes'`);
    await keyferry.sync();
    expect(offer(5)).toEqual({ active: false });
    expect(await openAlert(5)).toContain('6.32 (from 1) -> no price');
    shows(5, 0.07);
    await keyferry.sync();
    expect(offer(5)).toEqual({ active: true, size: 20, retailCents: 803 });
    shows(5, 6.4);
    await keyferry.sync();
    expect(offer(5)).toEqual({ active: true, size: 20, retailCents: 812 });
  });

  it('never becomes zero: the product is stopped and the next price is measured by the last one', async () => {
    shows(6, 0);
    await keyferry.sync();
    expect(offer(6)).toEqual({ active: false });
    shows(6, 0.07);
    await keyferry.sync();
    expect(offer(6)).toEqual({ active: true, size: 20, retailCents: 803 });
  });

  it('is accepted by a person on the command line', async () => {
    const accepted = await cli('price', 'accept', cwsProductId(6), '--price', '0.07', '--json');
    expect(accepted).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(accepted.stdout)).toEqual({
      cwsProductId: cwsProductId(6),
      from: [{ fromQuantity: 1, toQuantity: null, unitPrice: '6.32' }],
      to: [{ fromQuantity: 1, toQuantity: null, unitPrice: '0.07' }],
    });
    expect(await openAlert(6)).toBeNull();
    expect((await audit(6)).at(-1)).toMatch(/^cli:.* supplier_product\.price_accepted$/);
    await keyferry.sync();
    expect(offer(6)).toEqual({ active: true, size: 20, retailCents: 68 });

    const again = await cli('price', 'accept', cwsProductId(6), '--price', '0.07');
    expect(again).toEqual({ code: 1, stdout: '', stderr: `No price of ${cwsProductId(6)} is held back.\n` });
    expect(await cli('price', 'accept', '42', '--price', 'none')).toMatchObject({
      code: 1,
      stderr: '42 is not a CWS product id.\n',
    });
  });

  it('is accepted only as the person has seen it', async () => {
    shows(7, 18);
    await keyferry.sync();
    const command = `price accept ${cwsProductId(7)} --price 18.00`;
    expect(await openAlert(7)).toContain(`npm run cli -- ${command};`);
    shows(7, 20);
    await keyferry.sync();
    expect(await cli(...command.split(' '))).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Not accepted: the price that is held back is by now 20.00 (from 1).\n',
    });
    const route = `supplier-products/${cwsProductId(7)}/accept-price`;
    for (const price of ['18.00', null]) {
      expect(await admin(route, 'POST', { price })).toMatchObject({
        status: 409,
        body: { code: 'price_changed_meanwhile', message: 'the price in question is by now 20.00 (from 1)' },
      });
    }
    for (const body of [undefined, {}, { price: 18 }, { price: '18.001' }, { price: 'cheap' }]) {
      expect(await admin(route, 'POST', body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    }
    expect(await cli('price', 'accept', cwsProductId(7))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("required option '--price <price>' not specified"),
    });
    expect(await openAlert(7)).toContain('-> 20.00');
    expect(offer(7)).toEqual({ active: false });
  });

  it('is accepted by a person over HTTP', async () => {
    expect(await admin(`supplier-products/${cwsProductId(7)}/accept-price`, 'POST', { price: '20.00' })).toEqual({
      status: 200,
      body: {
        cwsProductId: cwsProductId(7),
        from: [{ fromQuantity: 1, toQuantity: null, unitPrice: '6.32' }],
        to: [{ fromQuantity: 1, toQuantity: null, unitPrice: '20.00' }],
      },
    });
    expect((await audit(7)).at(-1)).toBe('admin:admin supplier_product.price_accepted');
    await keyferry.sync();
    expect(offer(7)).toMatchObject({ active: true, retailCents: 2412 });

    expect(await admin(`supplier-products/${cwsProductId(7)}/accept-price`, 'POST', { price: '20.00' })).toMatchObject({
      status: 409,
      body: { code: 'price_not_unconfirmed' },
    });
    for (const unknown of [cwsProductId(49), 'nonsense']) {
      expect(await admin(`supplier-products/${unknown}/accept-price`, 'POST', { price: '20.00' })).toMatchObject({
        status: 404,
        body: { code: 'supplier_product_not_found' },
      });
    }
    const anonymous = await fetch(`${keyferry.url}/admin/supplier-products/${cwsProductId(7)}/accept-price`, {
      method: 'POST',
    });
    expect(anonymous.status).toBe(401);
  });

  it('is accepted whatever the spelling of its id', async () => {
    const id = '00000000-0000-4000-8000-abcdefabcdef';
    const { manager } = keyferry.app.get(DataSource);
    for (const [seconds, price] of [632, 7].entries()) {
      const report = {
        cwsProductId: id,
        name: 'Game',
        quantity: 1,
        priceBands: [{ fromQuantity: 1, toQuantity: null, unitPrice: cents(price) }],
        releaseDate: null,
      };
      const question = { requestedAt: new Date(Date.now() - 60_000 + seconds), isAskedById: true };
      await storeSupplierReports(manager, [report], question, { maxChangePercent: 70, confirmAfterSeconds: 3600 });
    }
    await keyferry.sql('INSERT INTO product_mapping_suppliers VALUES ($1, $2, 1)', [g2aProductId(1), id]);
    await keyferry.app.get(UnconfirmedPricesService).report();
    const find = () =>
      keyferry.sql<object[]>(
        `SELECT (SELECT count(*)::integer FROM alerts WHERE subject = $1 AND cleared_at IS NULL) AS alerts,
           (SELECT action FROM audit_log WHERE subject_id = $1 ORDER BY id DESC LIMIT 1) AS audited`,
        [id],
      );
    expect(await find()).toEqual([{ alerts: 1, audited: 'supplier_product.price_suspected' }]);
    const answer = await admin(`supplier-products/${id.toUpperCase()}/accept-price`, 'POST', { price: '0.07' });
    expect(answer).toMatchObject({ status: 200, body: { cwsProductId: id } });
    expect(await find()).toEqual([{ alerts: 0, audited: 'supplier_product.price_accepted' }]);
  });

  it('is not written by somebody who has judged it by a price that is not the accepted one any more', async () => {
    const { manager } = keyferry.app.get(DataSource);
    const guard = { maxChangePercent: 50, confirmAfterSeconds: 3600 };
    const report = (price: number) => ({
      cwsProductId: cwsProductId(20),
      name: 'Game 20',
      quantity: 1,
      priceBands: [{ fromQuantity: 1, toQuantity: null, unitPrice: cents(price) }],
      releaseDate: null,
    });
    const at = (seconds: number) => new Date(Date.UTC(2025, 10, 23, 12, 0, seconds));
    const store = (price: number, seconds: number) =>
      storeSupplierReports(manager, [report(price)], { requestedAt: at(seconds), isAskedById: true }, guard);
    const prices = async () => (await storedProducts(manager, [cwsProductId(20)], at(9))).get(cwsProductId(20))!;

    await store(1000, 1);
    const { revision } = await prices();
    await store(600, 2);
    // 1400 would have been plausible after 1000; after 600 it is not.
    const price = { accepted: report(1400).priceBands, unconfirmed: null };
    const late = { report: report(1400), price, audit: null, isUnannounced: false };
    expect(await writeSupplierReports(manager, [{ ...late, revision }], at(3))).toEqual([]);
    expect(await prices()).toMatchObject({ accepted: report(600).priceBands, unconfirmed: null });

    // Two at once: the later question counts, and whatever was accepted before it is what it is judged by.
    await Promise.all([store(900, 5), store(1400, 4), store(250, 6)]);
    const { accepted, unconfirmed } = await prices();
    expect(accepted).not.toEqual(report(250).priceBands);
    expect(unconfirmed).toMatchObject({ bands: report(250).priceBands, since: at(6) });
  });
});

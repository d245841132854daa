import pg from 'pg';
import { AdminModule } from '../src/admin/admin.module.js';
import { AlertsModule } from '../src/alerts/alerts.module.js';
import { AppConfigModule } from '../src/config/config.module.js';
import { ControlModule } from '../src/control/control.module.js';
import { DatabaseModule } from '../src/database/database.module.js';
import { basic, configWith } from '../src/http-auth/spec-support/admin-environment.js';
import { type Answer, listen, type ListeningApp } from '../src/http-auth/spec-support/listening-app.js';
import { ObservabilityModule } from '../src/observability/observability.module.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

const CREDENTIALS = basic('root', 'se:cret');
const PRODUCT = 10000008939005;
const ORDER = '0b000000-0000-4000-8000-000000000001';
const RESERVATION = '0b000000-0000-4000-8000-000000000002';
const ITEM = '0b000000-0000-4000-8000-000000000003';
const PURCHASE = '0b000000-0000-4000-8000-000000000004';
const KEY = '0b000000-0000-4000-8000-000000000005';
const CWS_PRODUCT = '0b000000-0000-4000-8000-000000000006';
const UNSEEN_CWS_PRODUCT = '0b000000-0000-4000-8000-000000000007';
const LEADER = '0b000000-0000-4000-8000-000000000009';
const OFFER = '0b000000-0000-4000-8000-000000000008';
const UNKNOWN = '0b000000-0000-4000-8000-00000000ffff';

/** In every column of `keys` that holds something of a key, in clear or not. */
const KEY_MATERIAL = 'key-material';
const HIDDEN = (['utf8', 'base64', 'hex'] as const).map((encoding) => Buffer.from(KEY_MATERIAL).toString(encoding));

const ROWS = `
  INSERT INTO product_mappings (g2a_product_id, fixed_profit_cents, fee_percentage) VALUES (${PRODUCT}, 50, 0.15);
  INSERT INTO product_mappings (g2a_product_id, is_enabled) VALUES (77, false);
  INSERT INTO product_mapping_suppliers (g2a_product_id, cws_product_id, position)
    VALUES (${PRODUCT}, '${CWS_PRODUCT}', 0), (${PRODUCT}, '${UNSEEN_CWS_PRODUCT}', 1);
  INSERT INTO supplier_products (cws_product_id, name, quantity, price_bands, requested_at, changed_at)
    VALUES ('${CWS_PRODUCT}', 'A game', 7, '[{"fromQuantity": 1, "toQuantity": null, "unitPrice": 632}]',
      '2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z');
  INSERT INTO stock_holds (cws_product_id, reservation_item_id, quantity, state)
    VALUES ('${CWS_PRODUCT}', '${ITEM}', 2, 'owed');
  INSERT INTO offers (g2a_offer_id, g2a_product_id, desired_price_cents, desired_size, desired_is_active, desired_reason,
      desired_business_price_cents, desired_cost_cents, observed_retail_price_cents, observed_min_price_cents, observed_size,
      observed_is_active, observed_at,
      sent_price_cents, sent_business_price_cents, sent_lowest_price_cents, sent_size, sent_is_active, sent_at)
    VALUES ('${OFFER}', ${PRODUCT}, 803, 5, true, 'for_sale', 805, 632, 790, 100, 4, true, '2026-01-02T03:04:05Z',
      803, 805, 790, 5, true, '2026-01-02T03:04:06Z');
  INSERT INTO offers (g2a_offer_id, g2a_product_id, desired_reason, observed_is_active, observed_at)
    VALUES (gen_random_uuid(), 77, 'disabled', false, now()), (gen_random_uuid(), 78, 'unmapped', false, now());
  INSERT INTO sync_cursors VALUES ('cws_products', now(), now() - interval '90 seconds');
  INSERT INTO alerts (kind, subject, message) VALUES ('offer_missing', '78', 'no offer');
  INSERT INTO alerts (kind, subject, message, cleared_at) VALUES ('offer_missing', '79', 'no offer', now());

  INSERT INTO reservations (id, state, expires_at) VALUES ('${RESERVATION}', 'ordered', now());
  INSERT INTO reservation_items (id, reservation_id, g2a_product_id, quantity, sale_price_cents, sale_income_cents)
    VALUES ('${ITEM}', '${RESERVATION}', ${PRODUCT}, 2, 790, 671);
  INSERT INTO orders (id, reservation_id, g2a_order_id, state, deadline_at, created_at)
    VALUES ('${ORDER}', '${RESERVATION}', 4711, 'fulfilling', now(), now() - interval '1 hour');
  INSERT INTO order_items VALUES ('${ITEM}', '${ORDER}', ${PRODUCT}, 2, 790, 671);
  INSERT INTO purchases (id, order_item_id, cws_product_id, quantity, price_cap_cents, client_order_id, state)
    VALUES ('${PURCHASE}', '${ITEM}', '${CWS_PRODUCT}', 2, 640, 'reference-1', 'fulfilling');
  INSERT INTO keys (id, purchase_id, order_item_id, cws_code_id, kind, ciphertext, encryption_key_id, fingerprint,
      first_delivered_at)
    VALUES ('${KEY}', '${PURCHASE}', '${ITEM}', 'code-1', 'text', '${KEY_MATERIAL}', 'abcdef01', '${KEY_MATERIAL}', now());
  INSERT INTO audit_log (actor, action, subject_type, subject_id, details) VALUES
    ('g2a', 'order.accepted', 'order', '${ORDER}', '{"g2aOrderId": 4711}'),
    ('orders', 'purchase.intended', 'purchase', '${PURCHASE}', '{"quantity": 2}'),
    ('g2a', 'order.accepted', 'order', '${UNKNOWN}', '{}');
`;

let database: TestDatabase;
let client: pg.Client;
let server: ListeningApp;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client(database.url);
  await client.connect();
  await client.query(ROWS);
  server = await listen({
    imports: [
      AppConfigModule.forRoot(configWith({ ADMIN_USERNAME: 'root', ADMIN_PASSWORD: 'se:cret' })),
      DatabaseModule.forRoot(database.url),
      ObservabilityModule,
      AlertsModule,
      ControlModule,
      AdminModule,
    ],
  });
});

afterAll(async () => {
  await server.app.close();
  await client.end();
  await database.drop();
});

function get(path: string): Promise<Answer> {
  return server.request('GET', path, CREDENTIALS);
}

function post(path: string, body?: unknown): Promise<Answer> {
  return body === undefined
    ? server.request('POST', path, CREDENTIALS)
    : server.request('POST', path, { ...CREDENTIALS, 'content-type': 'application/json' }, JSON.stringify(body));
}

describe('the admin routes', () => {
  it.each([
    ['GET', '/admin/status'],
    ['POST', '/admin/pause'],
    ['POST', '/admin/resume'],
    ['GET', '/admin/alerts'],
    ['GET', '/admin/orders'],
    ['GET', `/admin/orders/${ORDER}`],
    ['GET', `/admin/offers/${PRODUCT}`],
    ['POST', `/admin/offers/${PRODUCT}/clear-deactivation`],
    ['GET', '/admin/audit'],
  ] as const)('refuse %s %s without credentials', async (method, path) => {
    expect((await server.request(method, path)).status).toBe(401);
  });

  it('tell whether we sell and how much of everything there is', async () => {
    const answer = await get('/admin/status');
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      isSelling: false,
      isSellingAllowed: true,
      isPaused: false,
      reason: null,
      isServiceEnabled: true,
      leader: null,
      feedUnreliableSince: null,
      sweepCycleSeconds: null,
      mappings: { total: 2, enabled: 1 },
      offers: { total: 3, forSale: 1, off: { disabled: 1, unmapped: 1 }, quarantined: 0 },
      balance: null,
      orders: { accepted: 0, purchasing: 0, fulfilling: 1, completed: 0, needs_attention: 0, failed: 0 },
      openAlerts: 1,
    });
    expect((answer.json() as { feedAgeSeconds: number }).feedAgeSeconds).toBeGreaterThanOrEqual(90);
  });

  it('say that we sell only while a replica holds the lease, and which', async () => {
    const lease = (until: string) =>
      client.query(
        `UPDATE sync_leadership SET holder = $1, acquired_at = '2026-01-02T03:04:05Z',
           expires_at = clock_timestamp() + $2::interval`,
        [LEADER, until],
      );
    await lease('1 minute');
    expect((await get('/admin/status')).json()).toMatchObject({
      isSelling: true,
      leader: { id: LEADER, since: '2026-01-02T03:04:05.000Z' },
    });
    await lease('-1 second');
    expect((await get('/admin/status')).json()).toMatchObject({ isSelling: false, leader: null });
  });

  it('say since when the feed is not believed, and how long the sweep takes', async () => {
    await client.query(`UPDATE sync_cursors SET unreliable_since = '2026-01-02T03:04:05Z', sweep_cycle_seconds = 12.5`);
    expect((await get('/admin/status')).json()).toMatchObject({
      feedUnreliableSince: '2026-01-02T03:04:05.000Z',
      sweepCycleSeconds: 12.5,
    });
    await client.query('UPDATE sync_cursors SET unreliable_since = NULL, sweep_cycle_seconds = NULL');
  });

  it('pause with a reason and resume, each recorded under the name of the administrator', async () => {
    const paused = await post('/admin/pause', { reason: 'holiday' });
    expect([paused.status, paused.json()]).toMatchObject([
      200,
      { isPaused: true, reason: 'holiday', changedBy: 'admin:root' },
    ]);
    expect((await get('/admin/status')).json()).toMatchObject({ isPaused: true, reason: 'holiday' });

    const resumed = await post('/admin/resume');
    expect([resumed.status, resumed.json()]).toMatchObject([200, { isPaused: false, reason: null }]);
    expect((await get('/admin/audit?subjectType=control')).json()).toMatchObject({
      audit: [
        { actor: 'admin:root', action: 'control.resumed' },
        { actor: 'admin:root', action: 'control.paused', details: { reason: 'holiday' } },
      ],
    });
  });

  it('pause without a body', async () => {
    expect((await post('/admin/pause')).json()).toMatchObject({ isPaused: true, reason: null });
    await post('/admin/resume');
  });

  it('list the open alerts only', async () => {
    expect((await get('/admin/alerts')).json()).toMatchObject({
      alerts: [{ kind: 'offer_missing', subject: '78', raisedCount: 1, clearedAt: null }],
    });
  });

  it('list orders by state', async () => {
    expect((await get('/admin/orders?state=fulfilling&limit=5')).json()).toMatchObject({
      orders: [{ id: ORDER, g2aOrderId: 4711, state: 'fulfilling', createdAt: expect.stringMatching(/T.*Z$/) }],
    });
    expect((await get('/admin/orders?state=failed')).json()).toEqual({ orders: [] });
  });

  it('show an order with its items, purchases, number of keys and history', async () => {
    expect((await get(`/admin/orders/${ORDER}`)).json()).toMatchObject({
      id: ORDER,
      reservationId: RESERVATION,
      items: [
        {
          g2aProductId: PRODUCT,
          quantity: 2,
          salePrice: '7.90',
          keyCount: 1,
          deliveredKeyCount: 1,
          returnedKeyCount: 0,
          purchases: [
            { id: PURCHASE, state: 'fulfilling', priceCap: '6.40', unitPrice: null, clientOrderId: 'reference-1' },
          ],
        },
      ],
      audit: [{ action: 'order.accepted' }, { action: 'purchase.intended' }],
    });
  });

  it('show an offer with its mapping and its suppliers', async () => {
    expect((await get(`/admin/offers/${PRODUCT}`)).json()).toEqual({
      g2aProductId: PRODUCT,
      offer: {
        g2aOfferId: OFFER,
        desired: {
          price: '8.03',
          businessPrice: '8.05',
          size: 5,
          isActive: true,
          reason: 'for_sale',
          cost: '6.32',
        },
        observed: {
          retailPrice: '7.90',
          businessPrice: null,
          minPrice: '1.00',
          maxPrice: null,
          size: 4,
          isActive: true,
          visibility: 'all',
          at: '2026-01-02T03:04:05.000Z',
        },
        sent: {
          price: '8.03',
          businessPrice: '8.05',
          lowestPrice: '7.90',
          size: 5,
          isActive: true,
          at: '2026-01-02T03:04:06.000Z',
        },
        failureCount: 0,
        retryAt: null,
        lastError: null,
        quarantinedAt: null,
        deactivated: null,
      },
      mapping: {
        isEnabled: true,
        fixedProfit: '0.50',
        profitPercent: null,
        feePercentage: '0.150000',
        feeFixed: null,
        minPrice: null,
        maxPrice: null,
        charmEnding: null,
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
      },
      suppliers: [
        {
          cwsProductId: CWS_PRODUCT,
          position: 0,
          snapshot: {
            name: 'A game',
            quantity: 7,
            held: 2,
            available: 5,
            priceBands: [{ fromQuantity: 1, toQuantity: null, unitPrice: '6.32' }],
            unconfirmed: null,
            releaseDate: null,
            isGone: false,
            requestedAt: '2026-01-02T03:04:05.000Z',
            changedAt: '2026-01-02T03:04:05.000Z',
          },
        },
        { cwsProductId: UNSEEN_CWS_PRODUCT, position: 1, snapshot: null },
      ],
    });
  });

  it("show G2A's deactivation of an offer, until a person has cleared it", async () => {
    await client.query(
      `UPDATE offers SET deactivated_at = '2026-01-02T03:04:05Z', deactivation_message = 'why',
         deactivation_reason = 'deactivated_by_g2a' WHERE g2a_product_id = 78`,
    );
    await client.query(
      `INSERT INTO alerts (kind, subject, message)
       SELECT 'offer_deactivated_by_g2a', g2a_offer_id, 'why' FROM offers WHERE g2a_product_id = 78`,
    );
    expect((await get('/admin/offers/78')).json()).toMatchObject({
      offer: { deactivated: { at: '2026-01-02T03:04:05.000Z', message: 'why' } },
    });
    // The second time there is nothing left to clear.
    for (const attempt of [1, 2]) {
      const answer = await post('/admin/offers/78/clear-deactivation');
      expect([attempt, answer.status, answer.json()]).toMatchObject([attempt, 200, { offer: { deactivated: null } }]);
    }
    const { rows: alerts } = await client.query(
      `SELECT 1 FROM alerts WHERE kind = 'offer_deactivated_by_g2a' AND cleared_at IS NULL`,
    );
    const { rows: audit } = await client.query(
      `SELECT actor, details FROM audit_log WHERE action = 'offer.deactivation_cleared'`,
    );
    expect([alerts, audit]).toEqual([[], [{ actor: 'admin:root', details: { g2aProductId: 78 } }]]);
  });

  it('say which offer there is none of to clear', async () => {
    const unknown = await post('/admin/offers/4242/clear-deactivation');
    expect([unknown.status, unknown.json()]).toMatchObject([404, { code: 'offer_not_found' }]);
    const bad = await post('/admin/offers/x/clear-deactivation');
    expect([bad.status, bad.json()]).toMatchObject([400, { code: 'invalid_request' }]);
  });

  it('show an offer that has lost its mapping, without anything sent', async () => {
    expect((await get('/admin/offers/78')).json()).toMatchObject({
      offer: { desired: { reason: 'unmapped', price: null }, sent: null },
      mapping: null,
      suppliers: [],
    });
  });

  it('list the audit log newest first, of one subject if wanted', async () => {
    expect((await get(`/admin/audit?subjectType=order&subjectId=${ORDER}`)).json()).toEqual({
      audit: [
        {
          id: expect.any(Number),
          at: expect.any(String),
          actor: 'g2a',
          action: 'order.accepted',
          subjectType: 'order',
          subjectId: ORDER,
          details: { g2aOrderId: 4711 },
        },
      ],
    });
    const { audit } = (await get('/admin/audit?limit=2')).json() as { audit: { id: number }[] };
    expect(audit).toHaveLength(2);
    expect(audit[0]!.id).toBeGreaterThan(audit[1]!.id);
  });

  it.each([
    ['/admin/orders?state=sold', 'state'],
    ['/admin/orders?limit=0', 'limit'],
    ['/admin/orders/42', 'id'],
    ['/admin/offers/9007199254740992', 'g2aProductId'],
    ['/admin/audit?limit=1&limit=2', 'limit'],
  ])('answer 400 to %s and name the field', async (path, field) => {
    const answer = await get(path);
    expect([answer.status, answer.json()]).toMatchObject([
      400,
      { code: 'invalid_request', message: expect.stringContaining(`${field}: `) },
    ]);
  });

  it.each([
    [`/admin/orders/${UNKNOWN}`, 'order_not_found'],
    ['/admin/offers/4242', 'offer_not_found'],
  ])('answer 404 to %s', async (path, code) => {
    const answer = await get(path);
    expect([answer.status, answer.json()]).toMatchObject([404, { code }]);
  });

  it.each([
    '/admin/status',
    '/admin/alerts',
    '/admin/orders',
    `/admin/orders/${ORDER}`,
    `/admin/offers/${PRODUCT}`,
    '/admin/audit?limit=500',
    '/metrics',
  ])('contain nothing of a key or a secret in %s', async (path) => {
    const { status, text } = await get(path);
    expect(status).toBe(200);
    for (const secret of [...HIDDEN, 'ciphertext', 'fingerprint', 'se:cret', 'cws-secret', 'g2a-secret']) {
      expect(text).not.toContain(secret);
    }
  });
});

describe('the database seen from outside', () => {
  it('makes the process ready', async () => {
    const answer = await server.request('GET', '/readyz');
    expect([answer.status, answer.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('is counted in /metrics', async () => {
    const { text } = await server.request('GET', '/metrics');
    expect(text).toContain('keyferry_orders{state="fulfilling"} 1\n');
    expect(text).toContain('keyferry_offers{reason="for_sale"} 1\n');
    expect(text).toContain('keyferry_offers{reason="unmapped"} 1\n');
    expect(text).toContain('keyferry_open_alerts{kind="offer_missing"} 1\n');
    const age = (name: string) => Number(new RegExp(`^keyferry_${name} (\\S+)$`, 'm').exec(text)?.[1]);
    expect(age('oldest_unfinished_order_age_seconds')).toBeGreaterThanOrEqual(3600);
    expect(age('feed_age_seconds\\{feed="cws_products"\\}')).toBeGreaterThanOrEqual(90);
  });

  it('does not make the process ready without migrations', async () => {
    await client.query('ALTER TABLE schema_migrations RENAME TO elsewhere');
    try {
      const answer = await server.request('GET', '/readyz');
      expect([answer.status, answer.json()]).toEqual([503, { status: 'unavailable', failedCheck: 'migrations' }]);
    } finally {
      await client.query('ALTER TABLE elsewhere RENAME TO schema_migrations');
    }
  });
});

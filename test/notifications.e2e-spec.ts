import { g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import { runCommand } from './support/command.js';
import { environment, type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

const DATE = '2017-07-21T17:32:28Z';
const MESSAGE = 'Some of the requested items do not exist';
const FOREIGN_OFFER = '0b000000-0000-4000-8000-00000000ffff';
const GAMES = [1, 2, 3, 4, 5, 6];

let keyferry: Keyferry;
/** Games that are mapped only to have the whole listing read: that is done when a product was newly mapped. */
let nextGame = 20;

beforeAll(async () => {
  keyferry = await startKeyferry({ environment: { ADMIN_PASSWORD: 'se:cret' } });
  await mapGames(keyferry, GAMES);
  await keyferry.sync();
});
afterAll(() => keyferry.stop());

const notify = (body: unknown) => keyferry.customer.call<undefined>('POST', '/notifications', body);
const deactivation = (data: Record<string, unknown>, date: unknown = DATE) => ({
  notification_type: 'auction_deactivated',
  date,
  data: { message: MESSAGE, auction_id: 12345, ...data },
});
const delivered = { ok: true, status: 204, body: undefined };

async function listWholeMarketplace(): Promise<void> {
  await mapGames(keyferry, [nextGame++]);
  await keyferry.sync();
}

/** What our offer of a game is to show, and the alert that is open about it. */
async function stateOf(game: number): Promise<{ reason: string; message: string | null; alerts: string[] }> {
  const [row] = await keyferry.sql(
    `SELECT desired_reason AS reason, deactivation_message AS message,
       ARRAY(SELECT message FROM alerts WHERE kind = 'offer_deactivated_by_g2a' AND subject = g2a_offer_id::text
         AND cleared_at IS NULL) AS alerts
     FROM offers WHERE g2a_product_id = $1`,
    [g2aProductId(game)],
  );
  return row;
}

async function audited(game: number): Promise<unknown[]> {
  return keyferry.sql(
    `SELECT actor, action, details FROM audit_log WHERE subject_id = $1 AND action LIKE 'offer.deactivat%' ORDER BY id`,
    [g2aOfferId(game)],
  );
}

const shown = (game: number) => {
  const { active, size } = keyferry.g2a.marketplace.offer(g2aOfferId(game));
  return { active, size };
};
const patches = (game: number) =>
  keyferry.g2a.marketplace.patches().filter((patch) => patch.offerId === g2aOfferId(game));

/** The answers of the database and of the marketplace to a deactivation that stands. */
const STANDS = {
  reason: 'deactivated_by_g2a',
  message: MESSAGE,
  alerts: [expect.stringContaining(MESSAGE)],
};
const IS_CLEARED = { reason: 'for_sale', message: null, alerts: [] };

describe('a deactivation by G2A', () => {
  it('is not fought: the offer stays off, and a person is told why', async () => {
    expect(await stateOf(1)).toEqual(IS_CLEARED);
    const before = patches(1).length;
    keyferry.g2a.marketplace.edit(g2aOfferId(1), { active: false });
    expect(await notify([deactivation({ offer_id: g2aOfferId(1) })])).toEqual(delivered);

    await keyferry.sync();
    await listWholeMarketplace();
    keyferry.cws.supplier.setProduct('00000000-0000-4000-8000-000000000001', { quantity: 3 });
    await keyferry.sync();
    await listWholeMarketplace();
    expect(await stateOf(1)).toEqual(STANDS);
    expect(shown(1)).toEqual({ active: false, size: 0 });
    // The one change that does no harm, and nothing after it.
    expect(patches(1).slice(before)).toMatchObject([{ body: { variant: { active: false, inventory: { size: 0 } } } }]);

    expect(
      await keyferry.sql(`SELECT type, occurred_at, auction_id, offer_id, message, payload FROM notifications`),
    ).toEqual([
      {
        type: 'auction_deactivated',
        occurred_at: new Date(DATE),
        auction_id: 12345,
        offer_id: g2aOfferId(1),
        message: MESSAGE,
        payload: null,
      },
    ]);
    expect(await audited(1)).toEqual([
      {
        actor: 'g2a',
        action: 'offer.deactivated_by_g2a',
        details: { g2aProductId: g2aProductId(1), message: MESSAGE },
      },
    ]);
  });

  it('counts once, however often G2A tells it, also after a person has cleared it', async () => {
    const body = [deactivation({ offer_id: g2aOfferId(2).toUpperCase() }), deactivation({ offer_id: g2aOfferId(2) })];
    const answers = await Promise.all(Array.from({ length: 10 }, () => notify(body)));
    expect(answers).toEqual(Array(10).fill(delivered));
    const [alert] = await keyferry.sql(`SELECT raised_count FROM alerts WHERE subject = $1`, [g2aOfferId(2)]);
    expect(alert).toEqual({ raised_count: 1 });
    expect(await audited(2)).toHaveLength(1);

    expect((await clearByAdmin(2)).status).toBe(200);
    expect(await notify(body)).toEqual(delivered);
    await keyferry.sync();
    expect(await stateOf(2)).toEqual(IS_CLEARED);

    // What is told anew is news.
    expect(await notify([deactivation({ offer_id: g2aOfferId(2) }, '2017-07-22T17:32:28Z')])).toEqual(delivered);
    await keyferry.sync();
    expect(await stateOf(2)).toEqual(STANDS);
  });

  function clearByAdmin(game: number): Promise<Response> {
    return fetch(`${keyferry.url}/admin/offers/${g2aProductId(game)}/clear-deactivation`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from('admin:se:cret').toString('base64')}` },
    });
  }

  it('ends when a person clears it through the admin route: the offer is on again', async () => {
    keyferry.g2a.marketplace.edit(g2aOfferId(3), { active: false });
    await notify([deactivation({ offer_id: g2aOfferId(3) })]);
    await keyferry.sync();
    expect(await stateOf(3)).toEqual(STANDS);

    const answer = await clearByAdmin(3);
    expect([answer.status, await answer.json()]).toMatchObject([200, { offer: { deactivated: null } }]);
    await keyferry.sync();
    expect(await stateOf(3)).toEqual(IS_CLEARED);
    expect(shown(3)).toMatchObject({ active: true });
    expect(await audited(3)).toMatchObject([{ actor: 'g2a' }, { actor: 'admin:admin' }]);
  });

  it('ends when a person clears it by command', async () => {
    const clear = (argument: string) =>
      runCommand({ ...environment('http://127.0.0.1:9', 'http://127.0.0.1:9'), DATABASE_URL: keyferry.database.url }, [
        'offers',
        'clear',
        argument,
      ]);
    await notify([deactivation({ offer_id: g2aOfferId(4) })]);
    await keyferry.sync();
    expect(await stateOf(4)).toEqual(STANDS);

    const product = String(g2aProductId(4));
    expect(await clear(product)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^cleared.*\n$/) });
    await keyferry.sync();
    expect(await stateOf(4)).toEqual(IS_CLEARED);
    expect(shown(4)).toMatchObject({ active: true });
    expect(await audited(4)).toMatchObject([{ actor: 'g2a' }, { actor: expect.stringMatching(/^cli:/) }]);

    expect(await clear('4242')).toMatchObject({ code: 1, stderr: expect.stringContaining('No offer of product 4242') });
  });

  it('ends when the listing shows the offer on again after it had shown it off', async () => {
    await notify([deactivation({ offer_id: g2aOfferId(5) })]);
    await keyferry.sync();
    await listWholeMarketplace();
    expect(shown(5)).toEqual({ active: false, size: 0 });
    expect(await stateOf(5)).toEqual(STANDS);

    keyferry.g2a.marketplace.edit(g2aOfferId(5), { active: true, size: 1 });
    await listWholeMarketplace();
    expect(await stateOf(5)).toEqual(IS_CLEARED);
    expect(await audited(5)).toMatchObject([
      { actor: 'g2a' },
      { actor: 'sync', action: 'offer.deactivation_cleared', details: { g2aProductId: g2aProductId(5) } },
    ]);
  });

  it('does not end by a listing that only lags behind', async () => {
    keyferry.g2a.marketplace.settings.applyDelayMs = 3_600_000;
    await notify([deactivation({ offer_id: g2aOfferId(6) })]);
    await keyferry.sync();
    await listWholeMarketplace();
    await listWholeMarketplace();
    expect(shown(6)).toMatchObject({ active: true });
    expect(await stateOf(6)).toEqual(STANDS);
    keyferry.g2a.marketplace.settings.applyDelayMs = 0;
    keyferry.g2a.marketplace.applyPending();
    await listWholeMarketplace();
    expect(shown(6)).toMatchObject({ active: false });
    expect(await stateOf(6)).toEqual(STANDS);
  });

  it.each([
    [{ auction_id: 777 }, 'auction 777'],
    [{ auction_id: 778, offer_id: 'not-a-uuid' }, 'auction 778'],
    [{ auction_id: null, offer_id: 'not-a-uuid' }, `offer 'not-a-uuid'`],
  ])('that names no offer calls a person, for nobody can tell which one is meant: %j', async (data, subject) => {
    const before = await keyferry.sql('SELECT g2a_offer_id, deactivated_at FROM offers ORDER BY 1');
    expect(await notify([deactivation(data)])).toEqual(delivered);
    expect(
      await keyferry.sql(`SELECT kind, message FROM alerts WHERE subject = $1 AND cleared_at IS NULL`, [subject]),
    ).toEqual([{ kind: 'offer_deactivated_by_g2a', message: expect.stringContaining(MESSAGE) }]);
    expect(await keyferry.sql('SELECT g2a_offer_id, deactivated_at FROM offers ORDER BY 1')).toEqual(before);
  });

  it('of an offer that is not ours is kept, and that is all', async () => {
    expect(await notify([deactivation({ offer_id: FOREIGN_OFFER })])).toEqual(delivered);
    expect(await keyferry.sql('SELECT 1 FROM notifications WHERE offer_id = $1', [FOREIGN_OFFER])).toHaveLength(1);
    expect(await keyferry.sql('SELECT 1 FROM alerts WHERE subject = $1', [FOREIGN_OFFER])).toEqual([]);
  });

  it('of an offer that is not followed yet counts as soon as it is', async () => {
    const game = 40;
    keyferry.g2a.marketplace.edit(g2aOfferId(game), { active: false });
    expect(await notify([deactivation({ offer_id: g2aOfferId(game).toUpperCase() })])).toEqual(delivered);
    await mapGames(keyferry, [game]);
    await keyferry.sync();
    await keyferry.sync();
    expect(await stateOf(game)).toEqual(STANDS);
    expect(shown(game)).toMatchObject({ active: false });
    expect(await audited(game)).toHaveLength(1);
  });

  it('of an offer that the seller has switched on again since is history', async () => {
    const game = 41;
    expect(await notify([deactivation({ offer_id: g2aOfferId(game) })])).toEqual(delivered);
    keyferry.g2a.marketplace.edit(g2aOfferId(game), { active: true });
    await mapGames(keyferry, [game]);
    await keyferry.sync();
    expect(await stateOf(game)).toEqual(IS_CLEARED);
  });

  it('is kept in bounds, on one line', async () => {
    const message = `a\0b\r\nalert forged\u2028${'x'.repeat(5000)}\ud800`;
    expect(await notify([deactivation({ offer_id: FOREIGN_OFFER, message })])).toEqual(delivered);
    const [row] = await keyferry.sql('SELECT message FROM notifications ORDER BY id DESC LIMIT 1');
    expect(row.message).toBe(`a b alert forged ${'x'.repeat(1000)}`.slice(0, 1000));
  });
});

describe('a notification of a type that we do not know', () => {
  it('is kept in bounds, without secrets, and answered like any other', async () => {
    const data = { note: 'a\0b', client_secret: 's3cret', long: 'x'.repeat(10_000) };
    const body = [{ notification_type: 'something_new', date: DATE, data }];
    expect([await notify(body), await notify(body)]).toEqual([delivered, delivered]);
    const rows = await keyferry.sql(`SELECT * FROM notifications WHERE type = 'something_new'`);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ occurred_at: new Date(DATE), offer_id: null, auction_id: null, message: null });
    expect(rows[0].payload).toHaveLength(4000);
    expect(rows[0].payload).toContain('"note":"a\\u0000b"');
    expect(rows[0].payload).not.toContain('s3cret');
  });
});

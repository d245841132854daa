import { cwsProductId, g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import { ReconcileOffersService } from '../src/sync/reconcile-offers.service.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

const PRICE = 6.32;

describe('with CREATE_MISSING_OFFERS', () => {
  let keyferry: Keyferry;
  const creations = (game: number): number =>
    keyferry.g2a.marketplace.creations().filter((product) => product === g2aProductId(game)).length;
  const asked = (): number =>
    keyferry.g2a.traffic.requests().filter((request) => request.route === 'POST /v3/sales/offers').length;
  const known = async (game: number): Promise<boolean> =>
    (await keyferry.sql('SELECT 1 FROM offers WHERE g2a_product_id = $1', [g2aProductId(game)])).length === 1;
  const map = async (game: number, quantity: number): Promise<void> => {
    const prices = [{ value: PRICE, from: 1, to: null }];
    keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity, prices });
    await mapGames(keyferry, [game]);
    // The first round learns of the supplier and that there is no offer; the next ones create it.
    await keyferry.sync();
    await keyferry.sync();
    await keyferry.sync();
  };

  beforeAll(async () => {
    const environment = { CREATE_MISSING_OFFERS: 'true' };
    keyferry = await startKeyferry({ cws: { products: 10 }, g2a: { products: 10, offers: 1 }, environment });
  });
  afterAll(() => keyferry.stop());

  it('a product that has no offer gets one, at its price, which is followed from then on', async () => {
    await map(2, 20);
    const offer = keyferry.g2a.marketplace.offer(g2aOfferId(2));
    expect(offer).toMatchObject({ active: true, size: 20, retailCents: 803, businessCents: 803 });
    expect(await known(2)).toBe(true);
    expect(creations(2)).toBe(1);
  });

  it('nothing is created for what cannot be sold', async () => {
    await map(3, 0);
    expect(creations(3)).toBe(0);
  });

  it('an offer that exists already is followed instead', async () => {
    keyferry.g2a.marketplace.create(g2aProductId(3), { price: { retail: '9.99', business: '9.99' } });
    keyferry.g2a.marketplace.applyPending();
    keyferry.cws.supplier.setProduct(cwsProductId(3), { quantity: 20 });
    const before = asked();
    await keyferry.sync();
    await keyferry.sync();
    expect(asked()).toBe(before + 1);
    expect(creations(3)).toBe(1);
    expect(keyferry.g2a.marketplace.offer(g2aOfferId(3))).toMatchObject({ active: true, retailCents: 803 });
  });

  it('an answer that got lost is not asked for again: the listing shows the offer', async () => {
    keyferry.g2a.traffic.behaviors.set({ name: 'losesAnswerOfCreate', subject: String(g2aProductId(4)) });
    await map(4, 20);
    keyferry.g2a.traffic.behaviors.clear({});
    expect([creations(4), await known(4)]).toEqual([1, false]);
    await keyferry.app.get(ReconcileOffersService).readAll();
    await keyferry.sync();
    expect([creations(4), await known(4)]).toEqual([1, true]);
    expect(await keyferry.sql('SELECT 1 FROM offer_creations')).toEqual([]);
  });

  it('a request that got lost is repeated only when a later listing lacks the offer for certain', async () => {
    keyferry.g2a.traffic.behaviors.set({ name: 'losesRequest', route: 'POST /v3/sales/offers' });
    const before = asked();
    await map(5, 20);
    keyferry.g2a.traffic.behaviors.clear({});
    await keyferry.app.get(ReconcileOffersService).readAll();
    await keyferry.sync();
    expect([asked() - before, creations(5)]).toEqual([1, 0]);
    await keyferry.sql(`UPDATE offer_creations SET sent_at = now() - interval '11 minutes'`);
    await keyferry.sync();
    await keyferry.sync();
    expect([asked() - before, creations(5), await known(5)]).toEqual([2, 1, true]);
  });

  it('a job that fails is told, and tried again later', async () => {
    keyferry.g2a.traffic.behaviors.set({ name: 'jobFails', subject: g2aOfferId(6), times: 1 });
    await map(6, 20);
    const alerts = (): Promise<unknown[]> =>
      keyferry.sql(`SELECT subject FROM alerts WHERE kind = 'offer_not_created' AND cleared_at IS NULL`);
    expect(await alerts()).toEqual([{ subject: String(g2aProductId(6)) }]);
    expect([creations(6), await known(6)]).toEqual([1, false]);
    await keyferry.sql('UPDATE offer_creations SET retry_at = now()');
    await keyferry.sync();
    await keyferry.sync();
    expect([creations(6), await known(6)]).toEqual([2, true]);
    expect(await alerts()).toEqual([]);
  });
});

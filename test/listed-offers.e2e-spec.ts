import { jest } from '@jest/globals';
import { cwsProductId, g2aExtraOfferId, g2aOfferId, g2aProductId } from '../sandbox/catalog.js';
import { ControlService } from '../src/control/control.service.js';
import { G2aClient } from '../src/g2a/g2a-client.js';
import { LeadershipService } from '../src/sync/leadership.service.js';
import { OfferTypesService } from '../src/sync/offer-types.service.js';
import { ReconcileOffersService } from '../src/sync/reconcile-offers.service.js';
import { SyncRoundService } from '../src/sync/sync-round.service.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

const LISTING = 'GET /v3/sales/offers';
const DETAIL = 'GET /v3/sales/offers/:offerId';
/** Games 1 to 8 have an offer on G2A. */
const OFFERED = 8;

/** A shop whose listing leaves types out, that keeps two pieces to itself, declares five at most, and creates missing offers. */
describe('the offers of a listing without types', () => {
  let keyferry: Keyferry;
  const reconcile = (): ReconcileOffersService => keyferry.app.get(ReconcileOffersService);
  const readListing = (): Promise<void> => keyferry.app.get(SyncRoundService).readListing();
  const requests = (route: string): number =>
    keyferry.g2a.traffic.requests().filter((request) => request.route === route).length;
  const misbehave = keyferryBehaviors(() => keyferry);
  const followed = async (game: number): Promise<string | undefined> => {
    const rows = await keyferry.sql<{ id: string }[]>(
      'SELECT g2a_offer_id AS id FROM offers WHERE g2a_product_id = $1',
      [g2aProductId(game)],
    );
    return rows[0]?.id;
  };
  const alerts = async (kind: string): Promise<string[]> =>
    (await keyferry.sql('SELECT subject FROM alerts WHERE kind = $1 AND cleared_at IS NULL ORDER BY 1', [kind])).map(
      (alert: { subject: string }) => alert.subject,
    );
  const supply = (game: number, quantity: number): void => {
    const prices = [{ value: 6.32, from: 1, to: null }];
    keyferry.cws.supplier.setProduct(cwsProductId(game), { quantity, prices });
  };
  const map = async (...games: number[]): Promise<void> => {
    for (const game of games) supply(game, 20);
    await mapGames(keyferry, games);
    await keyferry.sync();
  };

  beforeAll(async () => {
    keyferry = await startKeyferry({
      cws: { products: 20 },
      g2a: {
        products: 20,
        offers: OFFERED,
        extraOffers: OFFERED,
        extraOfferType: 'dropshipping',
        listShape: { omitsType: true },
        detailShape: {},
      },
      environment: { STOCK_BUFFER: '2', MAX_DECLARED_STOCK: '5', CREATE_MISSING_OFFERS: 'true' },
    });
    for (let game = 1; game <= OFFERED; game += 1) {
      keyferry.g2a.marketplace.edit(g2aExtraOfferId(game), { gone: true });
    }
    await map(1);
  });
  afterAll(() => keyferry.stop());
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('are followed where the detail tells that they are dropshipping offers, and never asked for it again', async () => {
    expect(keyferry.g2a.marketplace.patches(g2aOfferId(1))).toHaveLength(1);
    keyferry.g2a.traffic.forget();
    await reconcile().readAll();
    expect(requests(DETAIL)).toBe(0);
  });

  it.each([
    { quantity: 20, size: 5, because: 'MAX_DECLARED_STOCK is the most' },
    { quantity: 6, size: 4, because: 'STOCK_BUFFER is left out' },
    { quantity: 2, size: 0, because: 'nothing is left after that' },
  ])('show $size pieces where the supplier has $quantity: $because', async ({ quantity, size }) => {
    supply(1, quantity);
    await keyferry.sync();
    expect(keyferry.g2a.marketplace.offer(g2aOfferId(1))).toMatchObject({ active: size > 0, size });
  });

  it('are told of and left alone where the detail is not understood, or tells no type either, and others are followed', async () => {
    misbehave({ name: 'malformedDetail', subject: g2aOfferId(2) });
    await map(2, 3);
    expect([await followed(2), await followed(3)]).toEqual([undefined, g2aOfferId(3)]);
    expect(await alerts('offer_unreadable')).toEqual([g2aOfferId(2)]);

    keyferry.g2a.shapes.detail = { omitsType: true };
    await map(4);
    keyferry.g2a.shapes.detail = {};
    expect(await followed(4)).toBeUndefined();
    expect(await alerts('offer_unreadable')).toEqual([g2aOfferId(2), g2aOfferId(4)]);
    for (const game of [2, 4]) expect(keyferry.g2a.marketplace.patches(g2aOfferId(game))).toEqual([]);
  });

  it('take no memory for their types once they are followed, or mapped no more', async () => {
    const kept = (): string[] => [...Reflect.get(keyferry.app.get(OfferTypesService), 'asked').keys()];
    expect(kept().sort()).toEqual([g2aOfferId(2), g2aOfferId(4)]);
    await keyferry.sql('DELETE FROM product_mappings WHERE g2a_product_id = $1', [g2aProductId(4)]);
    await reconcile().readAll();
    expect(kept()).toEqual([g2aOfferId(2)]);
  });

  it('are not listed anew at once when that has broken off in the middle', async () => {
    misbehave({ name: 'answers500', route: DETAIL, subject: g2aOfferId(5) });
    await map(5);
    expect(await followed(5)).toBeUndefined();
    misbehave();
    keyferry.g2a.traffic.forget();
    await readListing();
    expect(requests(LISTING)).toBe(0);
    // As if a minute had passed.
    Reflect.set(reconcile(), 'brokenOffAtMs', performance.now() - 60_000);
    await readListing();
    expect(await followed(5)).toBe(g2aOfferId(5));
  });

  it('are let go of when their owner has put another one in their place, which is followed instead', async () => {
    keyferry.g2a.marketplace.edit(g2aOfferId(3), { gone: true });
    keyferry.g2a.marketplace.edit(g2aExtraOfferId(3), { gone: false });
    await reconcile().readAll();
    expect(await followed(3)).toBeUndefined();
    await keyferry.sync();
    expect(await followed(3)).toBe(g2aExtraOfferId(3));
    expect(keyferry.g2a.marketplace.offer(g2aExtraOfferId(3))).toMatchObject({ active: true, size: 5 });
    expect(await alerts('offer_ambiguous')).toEqual([]);
  });

  describe('that lacks some, which are created', () => {
    /** What happens while a creation waits for room. */
    const whileWaiting = (happens: () => unknown): void => {
      const client = keyferry.app.get(G2aClient);
      const roomForUpdate = client.roomForUpdate.bind(client);
      jest.spyOn(client, 'roomForUpdate').mockImplementationOnce(async (options) => {
        const room = await roomForUpdate(options);
        await happens();
        return room;
      });
    };
    const proceed = async (): Promise<void> => {
      await readListing();
      await readListing();
    };

    beforeAll(async () => {
      supply(11, 20);
      await mapGames(keyferry, [11]);
      const { sweep } = keyferry.app.get(SyncRoundService);
      await sweep();
    });

    it.each<[string, () => unknown]>([
      ['the shop was paused', () => keyferry.app.get(ControlService).pause('cli:test', null)],
      [
        'the product has sold out',
        () => keyferry.sql('UPDATE supplier_products SET quantity = 0 WHERE cws_product_id = $1', [cwsProductId(11)]),
      ],
      [
        'another replica leads',
        () => jest.spyOn(keyferry.app.get(LeadershipService), 'isLeader').mockReturnValue(false),
      ],
    ])('are not when meanwhile %s', async (_what, happens) => {
      whileWaiting(happens);
      await readListing();
      expect(keyferry.g2a.marketplace.creations()).toEqual([]);
      expect(await keyferry.sql('SELECT 1 FROM offer_creations')).toEqual([]);
      jest.restoreAllMocks();
      await keyferry.app.get(ControlService).resume('cli:test');
      await keyferry.sql('UPDATE supplier_products SET quantity = 20 WHERE cws_product_id = $1', [cwsProductId(11)]);
    });

    it('are at the price of the moment in which there is room', async () => {
      whileWaiting(() =>
        keyferry.sql('UPDATE supplier_products SET price_bands = $2 WHERE cws_product_id = $1', [
          cwsProductId(11),
          JSON.stringify([{ fromQuantity: 1, toQuantity: null, unitPrice: 1000 }]),
        ]),
      );
      await proceed();
      expect(keyferry.g2a.marketplace.offer(g2aOfferId(11))).toMatchObject({ retailCents: 1236, size: 5 });
    });

    it('are told of when they cannot be read, and hold up no other', async () => {
      misbehave({ name: 'malformedDetail', subject: g2aOfferId(12) });
      await map(12);
      await proceed();
      expect(await alerts('offer_unreadable')).toContain(g2aOfferId(12));
      await map(13);
      await proceed();
      misbehave();
      expect([await followed(12), await followed(13)]).toEqual([undefined, g2aOfferId(13)]);
    });
  });
});

/** Has G2A behave in this way alone; without one, well. */
function keyferryBehaviors(keyferry: () => Keyferry) {
  return (behavior?: Parameters<Keyferry['g2a']['traffic']['behaviors']['set']>[0]): void => {
    const { behaviors } = keyferry().g2a.traffic;
    behaviors.clear({});
    if (behavior !== undefined) behaviors.set(behavior);
  };
}

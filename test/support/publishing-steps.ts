import { DataSource } from 'typeorm';
import { cwsProductId, g2aExtraOfferId, g2aOfferId, g2aProductId } from '../../sandbox/catalog.js';
import type { Offer, ReceivedPatch } from '../../sandbox/g2a-marketplace.js';
import { type OfferToPublish, offersToPublish } from '../../src/catalog/offer-changes.queries.js';
import { ReconcileOffersService } from '../../src/sync/reconcile-offers.service.js';
import { SyncRoundService } from '../../src/sync/sync-round.service.js';
import { type Keyferry, mapGames, startKeyferry } from './keyferry.js';

/** At CWS, of every game of `startPublishing`; 8.03 on G2A. */
export const PRICE = 6.32;
const GAMES = Array.from({ length: 16 }, (_, index) => index + 1);

/** A Keyferry that publishes when a test says so, with the games 1 to 16 on sale, 20 of each; only game 3 is sold out. */
export async function startPublishing(): Promise<Keyferry> {
  const keyferry = await startKeyferry({
    cws: { products: 20 },
    g2a: { products: 20, extraOffers: 18, extraOfferType: 'dropshipping' },
  });
  const { round, reconcile, supply } = publishingSteps(() => keyferry);
  round().whenOffersChange(() => undefined);
  // Only the last game has two offers.
  for (const game of GAMES) keyferry.g2a.marketplace.edit(g2aExtraOfferId(game), { gone: true });
  await mapGames(keyferry, GAMES);
  for (const game of GAMES) supply(game, { quantity: 20, price: PRICE });
  supply(3, { quantity: 0 });
  await keyferry.sync();
  await reconcile().readAll();
  return keyferry;
}

/** What tests of published offers do, and look at. Games are the sandbox's, by number. */
export function publishingSteps(keyferry: () => Keyferry) {
  const round = (): SyncRoundService => keyferry().app.get(SyncRoundService);
  const reconcile = (): ReconcileOffersService => keyferry().app.get(ReconcileOffersService);
  return {
    round,
    reconcile,
    supply: (game: number, { quantity, price }: { quantity?: number; price?: number }): void => {
      const prices = price === undefined ? undefined : [{ value: price, from: 1, to: null }];
      keyferry().cws.supplier.setProduct(cwsProductId(game), { quantity, prices });
    },
    shown: (game: number): Offer => keyferry().g2a.marketplace.offer(g2aOfferId(game)),
    patches: (game: number): ReceivedPatch[] => keyferry().g2a.marketplace.patches(g2aOfferId(game)),
    isGameOf: (offerId: string): number => Number(offerId.slice(-12)),
    row: async (game: number): Promise<Record<string, unknown>> => {
      const [offer] = await keyferry().sql('SELECT * FROM offers WHERE g2a_product_id = $1', [g2aProductId(game)]);
      return offer;
    },
    /** Subjects of the open alerts of a kind. */
    alerts: async (kind: string): Promise<string[]> => {
      const rows = await keyferry().sql('SELECT subject FROM alerts WHERE kind = $1 AND cleared_at IS NULL', [kind]);
      return rows.map((alert: { subject: string }) => alert.subject);
    },
    /** Offers that G2A shows otherwise than they should be. */
    different: (): Promise<OfferToPublish[]> =>
      offersToPublish(keyferry().app.get(DataSource).manager, {
        lowStock: 10,
        except: [],
        limit: 100,
        isDoubtful: false,
      }),
    /** As if the listing had been read so long ago. */
    listedBefore: (seconds: number): void => {
      const at = new Date(Date.now() - seconds * 1000);
      Reflect.set(reconcile(), 'lastRead', { at, changedPages: 1 });
    },
    /** How often G2A was asked so. */
    requests: (route: string): number =>
      keyferry()
        .g2a.traffic.requests()
        .filter((request) => request.route === route).length,
    jobsAreDue: (): Promise<unknown> =>
      keyferry().sql('UPDATE offers SET stop_job_due_at = now() WHERE stop_job_id IS NOT NULL'),
  };
}

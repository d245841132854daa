import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { cwsProductId, g2aOfferId } from '../../sandbox/catalog.js';
import { FollowHintsService } from '../../src/postbacks/follow-hints.service.js';
import { FeedService } from '../../src/sync/feed.service.js';
import { environment, type Keyferry, mapGames, startKeyferry } from '../support/keyferry.js';
import { sendPostback, until } from '../support/postback-steps.js';
import { startProgram } from '../support/program.js';

describe('a postback of CWS', () => {
  let keyferry: Keyferry;

  beforeAll(async () => {
    keyferry = await startKeyferry();
    await mapGames(keyferry, [1]);
    keyferry.cws.supplier.setProduct(cwsProductId(1), { quantity: 7 });
    // From here on only a question by id tells what CWS has; and nobody asks by himself: the clock ticks once an hour.
    keyferry.cws.traffic.behaviors.set({ name: 'feedHidesChanges' });
    await keyferry.sync();
  });
  afterAll(() => keyferry.stop());

  const shownSize = (game: number): number => keyferry.g2a.marketplace.offer(g2aOfferId(game)).size;
  const knownQuantity = async (game: number): Promise<number> =>
    (await keyferry.sql('SELECT quantity FROM supplier_products WHERE cws_product_id = $1', [cwsProductId(game)]))[0]
      .quantity;

  it('may reach any replica: what one that does not lead has fetched is published by the one that does', async () => {
    const standby = await startProgram({
      ...environment(keyferry.cws.url, keyferry.g2a.url),
      DATABASE_URL: keyferry.database.url,
    });
    try {
      keyferry.cws.supplier.setProduct(cwsProductId(1), { quantity: 5 });
      expect(
        await sendPostback(keyferry, { type: 'PRODUCT_UPDATED', productId: cwsProductId(1) }, { to: standby.url }),
      ).toBe(204);
      await until(async () => (await knownQuantity(1)) === 5, 'the standby has fetched');
      expect(shownSize(1)).toBe(7);
      await keyferry.sync();
      expect(shownSize(1)).toBe(5);
    } finally {
      await standby.end('SIGKILL');
    }
  });
});

describe('postbacks without end', () => {
  let keyferry: Keyferry;

  beforeAll(async () => {
    // 4 for postbacks of all replicas.
    keyferry = await startKeyferry({ environment: { CWS_PRODUCTS_RATE: '40/600s' } });
    await mapGames(keyferry, [1, 2, 3, 4]);
    keyferry.cws.traffic.forget();
  });
  afterAll(() => keyferry.stop());

  const questions = () => keyferry.cws.traffic.requests().flatMap(({ query }) => query.productIds ?? []);
  const hint = (...games: number[]) => ({ cwsProductIds: games.map(cwsProductId), cwsOrderIds: [] });

  it('use no more than their share of CWS’s limit, on all replicas together: the feed goes on', async () => {
    const standby = await startProgram({
      ...environment(keyferry.cws.url, keyferry.g2a.url),
      DATABASE_URL: keyferry.database.url,
      CWS_PRODUCTS_RATE: '40/600s',
    });
    try {
      const authHash = createHash('sha256').update('sandbox-clientsandbox-signature').digest('hex');
      for (let round = 0; round < 8; round += 1) {
        const game = (round % 4) + 1;
        keyferry.app.get(FollowHintsService).note(hint(game));
        const answer = await fetch(`${standby.url}/cws/postback`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ type: 'PRODUCT_UPDATED', productId: cwsProductId(game), authHash }),
        });
        expect(answer.status).toBe(204);
        await sleep(250);
      }
      await until(() => questions().length >= 4, 'the share is used');
      expect(await keyferry.app.get(FeedService).readFeed()).toBe(true);
      expect(questions()).toHaveLength(4);
    } finally {
      await standby.end('SIGKILL');
    }
  });
});

import { type Ask, refusal, type StatusTable, strangerRows, success, unreadableBodyRows } from './status-table.js';
import { UNKNOWN_ID, type World } from './world.js';

const put = (id: string): Ask => ({ method: 'PUT', path: `/reservation/${id}` });

/** One that has expired, and of whose game something is wrong. */
const ofExpired =
  (spoil: (world: World, game: number) => Promise<void>) =>
  async (world: World): Promise<Ask> => {
    const game = world.game();
    const id = await world.expired(game);
    await spoil(world, game);
    return put(id);
  };

const EXPIRY = ['reservations', 'stock_holds', 'audit_log'] as const;

export const renewal: StatusTable = {
  route: 'PUT /reservation/{reservation_id}',
  rows: [
    success(200, 'a live one', EXPIRY, async (world) => put(await world.reserve())),
    success(200, 'a live one, whatever the body', EXPIRY, async (world) => ({
      ...put(await world.reserve()),
      body: { quantity: -1 },
    })),
    success(200, 'a live one during a pause, sold out and disabled since', EXPIRY, async (world) => {
      const game = world.game();
      const id = await world.reserve(game);
      await world.pause();
      await world.sellOut(game);
      await world.disable(game);
      return put(id);
    }),
    success(200, 'an expired one while there is stock', EXPIRY, async (world) => put(await world.expired())),
    refusal([400, 'reservation_ordered'], 'an order', async (world) => put((await world.bought()).reservationId)),
    refusal(
      [400, 'insufficient_stock'],
      'an expired one that is sold out',
      ofExpired((world, game) => world.sellOut(game)),
    ),
    refusal(
      [400, 'price_too_low'],
      'an expired one that has become dearer than its price brings',
      ofExpired((world, game) => world.makeDear(game)),
    ),
    refusal(
      [400, 'balance_too_low'],
      'an expired one that the account cannot pay',
      ofExpired((world) => world.empty()),
    ),
    refusal([404, 'reservation_not_found'], 'an unknown one', () => put(UNKNOWN_ID)),
    refusal([404, 'reservation_not_found'], 'one that cannot exist', () => put('x')),
    refusal([404, 'reservation_not_found'], 'a zero byte', () => put('%00')),
    refusal([404, 'reservation_not_found'], 'a released one', async (world) => put(await world.released())),
    refusal(
      [404, 'product_not_found'],
      'an expired one whose mapping is disabled',
      ofExpired((world, game) => world.disable(game)),
    ),
    refusal(
      [404, 'product_not_found'],
      'an expired one whose mapping is gone',
      ofExpired((world, game) => world.unmap(game)),
    ),
    refusal(
      [503, 'service_paused'],
      'an expired one during a pause',
      ofExpired((world) => world.pause()),
      { retryAfterSeconds: 300 },
    ),
    refusal(
      [503, 'stock_unknown'],
      'an expired one that CWS does not tell of',
      ofExpired((world, game) => world.forget(game)),
      { retryAfterSeconds: 30 },
    ),
    refusal(
      [503, 'no_exchange_rate'],
      'an expired one without a rate',
      ofExpired((world) => world.loseRate()),
      { retryAfterSeconds: 300 },
    ),
    ...strangerRows(put(UNKNOWN_ID)),
    ...unreadableBodyRows(put(UNKNOWN_ID)),
  ],
};

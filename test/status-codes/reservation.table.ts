import { g2aProductId } from '../../sandbox/catalog.js';
import { type Ask, refusal, type StatusTable, strangerRows, success, unreadableBodyRows } from './status-table.js';
import { INEXACT_ID, UNMAPPED_PRODUCT, type World } from './world.js';

const post = (body: unknown): Ask => ({ method: 'POST', path: '/reservation', body });
const wanted = (game: number, quantity = 1): Ask => post([{ product_id: g2aProductId(game), quantity }]);

/** One piece of a game of which something is wrong. */
const ofGame =
  (spoil: (world: World, game: number) => Promise<void>) =>
  async (world: World): Promise<Ask> => {
    const game = world.game();
    await spoil(world, game);
    return wanted(game);
  };

const CLAIM = ['reservations', 'reservation_items', 'stock_holds', 'audit_log'] as const;

export const reservation: StatusTable = {
  route: 'POST /reservation',
  rows: [
    success(200, 'what there is', CLAIM, (world) => wanted(world.game(), 20)),
    success(200, 'an id as text, fields that nobody knows', CLAIM, (world) =>
      post([
        { product_id: String(g2aProductId(world.game())), quantity: 1, gift: 1, additional_data: { mood: 'good' } },
      ]),
    ),
    refusal([400, 'invalid_request'], 'no body', () => ({ method: 'POST', path: '/reservation' })),
    refusal([400, 'invalid_request'], 'no items', () => post([])),
    refusal([400, 'invalid_request'], 'more than 100 items', (world) => {
      const item = { product_id: g2aProductId(world.game()), quantity: 1 };
      return post(Array.from({ length: 101 }, () => item));
    }),
    refusal([400, 'invalid_request'], 'one item without quantity beside a good one', (world) => {
      const product_id = g2aProductId(world.game());
      return post([{ product_id, quantity: 1 }, { product_id }]);
    }),
    refusal([400, 'invalid_request'], 'an id that no number holds', () =>
      post(`[{"product_id":${INEXACT_ID},"quantity":1}]`),
    ),
    refusal([400, 'insufficient_stock'], 'more than there is of one of two', (world) =>
      post([
        { product_id: g2aProductId(world.game()), quantity: 1 },
        { product_id: g2aProductId(world.game()), quantity: 21 },
      ]),
    ),
    refusal(
      [400, 'price_too_low'],
      'what has become dearer than its price brings',
      ofGame((world, game) => world.makeDear(game)),
    ),
    refusal(
      [400, 'balance_too_low'],
      'what the account cannot pay',
      ofGame((world) => world.empty()),
    ),
    refusal([404, 'product_not_found'], 'what is not mapped, beside what is', (world) =>
      post([
        { product_id: g2aProductId(world.game()), quantity: 1 },
        { product_id: UNMAPPED_PRODUCT, quantity: 1 },
      ]),
    ),
    refusal(
      [404, 'product_not_found'],
      'what is disabled',
      ofGame((world, game) => world.disable(game)),
    ),
    refusal(
      [503, 'service_paused'],
      'anything during a pause',
      ofGame((world) => world.pause()),
      { retryAfterSeconds: 300 },
    ),
    refusal(
      [503, 'stock_unknown'],
      'what CWS does not tell of',
      ofGame((world, game) => world.forget(game)),
      { retryAfterSeconds: 30 },
    ),
    refusal(
      [503, 'no_exchange_rate'],
      'anything without a rate',
      ofGame((world) => world.loseRate()),
      { retryAfterSeconds: 300 },
    ),
    ...strangerRows(post([{ product_id: g2aProductId(1), quantity: 1 }])),
    ...unreadableBodyRows(post('')),
  ],
};

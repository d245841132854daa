import { cwsProductId, g2aProductId } from '../../sandbox/catalog.js';
import type { Answer, ReservationBody } from '../../sandbox/customer.js';
import { type Keyferry, mapGames } from './keyferry.js';

/** What a test of reservations does again and again, by game. */
export interface ReservationSteps {
  /** Reserves pieces of one game; the answer. */
  readonly tryReserve: (game: number, quantity?: number) => Promise<Answer<ReservationBody>>;
  /** The same where it must succeed; the reservation's id. */
  readonly reserve: (game: number, quantity?: number) => Promise<string>;
  /** Lets a reservation expire now. */
  readonly expire: (reservationId: string) => Promise<unknown>;
  /** What CWS has of a game, and its cost in euros; maps it. */
  readonly restock: (game: number, quantity: number, cost?: number) => Promise<void>;
}

/** @param current the application, once it is started. */
export function reservationSteps(current: () => Keyferry): ReservationSteps {
  const tryReserve: ReservationSteps['tryReserve'] = (game, quantity = 1) =>
    current().customer.reserve([{ productId: g2aProductId(game), quantity }]);
  return {
    tryReserve,
    reserve: async (game, quantity) => {
      const answer = await tryReserve(game, quantity);
      if (!answer.ok) throw new Error(`not reserved: ${JSON.stringify(answer)}`);
      return answer.body.reservation_id;
    },
    expire: (reservationId) =>
      current().sql(
        `WITH expired AS (
           UPDATE reservations SET expires_at = clock_timestamp() WHERE id = $1 AND state = 'active' RETURNING id
         )
         UPDATE stock_holds hold SET expires_at = clock_timestamp()
         FROM expired JOIN reservation_items item ON item.reservation_id = expired.id
         WHERE hold.reservation_item_id = item.id AND hold.state = 'reserved'`,
        [reservationId],
      ),
    restock: async (game, quantity, cost = 6.32) => {
      current().cws.supplier.setProduct(cwsProductId(game), {
        quantity,
        prices: [{ value: cost, from: 1, to: null }],
        gone: false,
      });
      await mapGames(current(), [game]);
    },
  };
}

/** An answer with what is left of a game. */
export const left = (game: number, inventory_size: number) => ({
  ok: true,
  status: 200,
  body: { stock: [{ product_id: g2aProductId(game), inventory_size }] },
});

/** A refusal, for toMatchObject. */
export const refused = (status: number, code: string) => ({ ok: false, status, error: { code } });

/** Expects exactly so many successes; everybody else is told that there is no more. */
export function expectReserved(answers: readonly Answer<ReservationBody>[], count: number): void {
  for (const answer of answers) if (!answer.ok) expect(answer).toMatchObject(refused(400, 'insufficient_stock'));
  expect(answers.filter((answer) => answer.ok)).toHaveLength(count);
}

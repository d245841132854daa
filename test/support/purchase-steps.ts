import { setTimeout as sleep } from 'node:timers/promises';
import { cwsProductId, g2aProductId } from '../../sandbox/catalog.js';
import type { Ledger } from '../../sandbox/cws-orders.js';
import type { Keyferry } from './keyferry.js';

const WITHIN_MS = 40_000;
const LOOK_MS = 50;
const LOOKS_PER_HURRY = 6;

/** A row of `purchases`, as far as tests look at it. */
export interface PurchaseRow {
  readonly id: string;
  readonly state: string;
  readonly send_count: number;
  /** When CWS has room again by its own word; null before the first refusal. */
  readonly not_before: Date | null;
  readonly cws_product_id: string;
  readonly client_order_id: string;
  readonly cws_order_id: string | null;
  readonly other_cws_order_ids: string[];
  readonly watched_until: Date | null;
  /** Seconds from the claim of the last sending. */
  readonly settles_in: number | null;
}

/** What a test of paid orders does again and again. */
export interface PurchaseSteps {
  /** Reserves and pays pieces of these games, at the price that the offer shows; the order's id. */
  readonly buy: (games: number | readonly number[], quantity?: number) => Promise<string>;
  /** What CWS has sold of a game. */
  readonly sold: (game: number) => Ledger['orders'];
  /** The client order ids that were sent to buy a game, in order, the unanswered ones too. */
  readonly sent: (game: number) => string[];
  /** Purchases of an order, the oldest first. */
  readonly purchases: (orderId: string) => Promise<PurchaseRow[]>;
  readonly stateOf: (orderId: string) => Promise<string>;
  readonly openAlerts: () => Promise<{ kind: string; subject: string; message: string }[]>;
  /** Lets jobs that wait for their time run now; what is checked is time in the rows. */
  readonly hurry: () => Promise<unknown>;
  /** Waits until a purchase of the order (and of this supplier product) is not under way, and keeps it unsent for an hour; its id. */
  readonly keepUnsent: (orderId: string, productId?: string) => Promise<string>;
  /** @param options.isHurried jobs do not wait meanwhile; true unless told otherwise. */
  readonly until: (condition: () => Promise<boolean>, options?: { isHurried: boolean }) => Promise<void>;
}

/** Whether a purchase was tried, and certainly not sent: CWS had no room, or was not there. */
export const isRefused = (purchase: PurchaseRow | undefined): boolean =>
  purchase?.send_count === 0 && purchase.not_before !== null;

/** @param current the application, once it is started. */
export function purchaseSteps(current: () => Keyferry): PurchaseSteps {
  const hurry = (): Promise<unknown> =>
    current().sql(`UPDATE pgboss.job SET start_after = now() WHERE state IN ('created', 'retry')`);
  const until: PurchaseSteps['until'] = async (condition, { isHurried } = { isHurried: true }) => {
    const deadline = Date.now() + WITHIN_MS;
    for (let look = 0; !(await condition()); look += 1) {
      if (Date.now() > deadline) throw new Error(`it did not happen within ${WITHIN_MS / 1000} s`);
      // Each hurried job may ask CWS for its products: more often, and CWS's real limit of them would be used up.
      if (isHurried && look % LOOKS_PER_HURRY === 0) await hurry();
      await sleep(LOOK_MS);
    }
  };
  return {
    buy: async (games, quantity = 1) => {
      const items = [games].flat().map((game) => ({ productId: g2aProductId(game), quantity }));
      const reservation = await current().customer.reserve(items);
      if (!reservation.ok) throw new Error(`not reserved: ${JSON.stringify(reservation)}`);
      const order = await current().customer.order(reservation.body.reservation_id);
      if (!order.ok) throw new Error(`not accepted: ${JSON.stringify(order)}`);
      return order.body.order_id;
    },
    sold: (game) =>
      current()
        .cws.orders.ledger()
        .orders.filter((order) => order.lines.some((line) => line.productId === cwsProductId(game))),
    sent: (game) =>
      current()
        .cws.traffic.requests()
        .filter(({ route, order }) => route === 'POST /v3/orders' && JSON.stringify(order).includes(cwsProductId(game)))
        .map(({ order }) => (order as { orderId: string }).orderId),
    purchases: (orderId) =>
      current().sql(
        `SELECT purchase.*, extract(epoch FROM settles_at - send_claimed_at)::float8 AS settles_in
         FROM purchases purchase JOIN order_items item ON item.id = order_item_id
         WHERE order_id = $1 ORDER BY purchase.created_at`,
        [orderId],
      ),
    stateOf: async (orderId) => (await current().sql('SELECT state FROM orders WHERE id = $1', [orderId]))[0].state,
    openAlerts: () => current().sql('SELECT kind, subject, message FROM alerts WHERE cleared_at IS NULL'),
    hurry,
    keepUnsent: async (orderId, productId) => {
      let id: string | undefined;
      const isKept = async (): Promise<boolean> => {
        // In one statement: between a look and the next step a worker could send it.
        const [rows] = await current().sql(
          `UPDATE purchases SET not_before = now() + interval '1 hour'
           WHERE send_count = 0 AND state IN ('intended', 'unknown') AND ($2::uuid IS NULL OR cws_product_id = $2)
             AND order_item_id IN (SELECT id FROM order_items WHERE order_id = $1)
           RETURNING id`,
          [orderId, productId ?? null],
        );
        id = rows[0]?.id;
        return id !== undefined;
      };
      await until(isKept, { isHurried: false });
      return id!;
    },
    until,
  };
}

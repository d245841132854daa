import { nextG2aOrderId } from '../../sandbox/customer.js';
import { type Ask, refusal, type StatusTable, strangerRows, success, unreadableBodyRows } from './status-table.js';
import { INEXACT_ID, UNKNOWN_ID } from './world.js';

const post = (body: unknown): Ask => ({ method: 'POST', path: '/order', body });
const paid = (reservation_id: string, g2a_order_id = nextG2aOrderId()): Ask => post({ reservation_id, g2a_order_id });

/** The order that the last row of `order_exists` was about. */
let existing = '';

export const order: StatusTable = {
  route: 'POST /order',
  rows: [
    success(
      202,
      'a live reservation',
      // What is bought for it at once, too.
      ['reservations', 'stock_holds', 'orders', 'order_items', 'purchases', 'keys', 'audit_log'],
      async (world) => paid(await world.reserve()),
    ),
    refusal([400, 'invalid_request'], 'no body', () => ({ method: 'POST', path: '/order' })),
    refusal([400, 'invalid_request'], 'no G2A order id', async (world) =>
      post({ reservation_id: await world.reserve() }),
    ),
    refusal([400, 'invalid_request'], 'a G2A order id that no number holds', async (world) =>
      post(`{"reservation_id":"${await world.reserve()}","g2a_order_id":${INEXACT_ID}}`),
    ),
    refusal([404, 'reservation_not_found'], 'an unknown reservation', () => paid(UNKNOWN_ID)),
    refusal([404, 'reservation_not_found'], 'a reservation that cannot exist', () => paid('x')),
    refusal([404, 'reservation_not_found'], 'a released reservation', async (world) => paid(await world.released())),
    refusal(
      [409, 'order_exists'],
      'the same order again',
      async (world) => {
        const { orderId, reservationId, g2aOrderId } = await world.bought();
        existing = orderId;
        return paid(reservationId, g2aOrderId);
      },
      { extra: () => ({ order_id: existing }) },
    ),
    refusal(
      [409, 'order_exists'],
      'an ordered reservation under another G2A order id, who is not told more',
      async (world) => paid((await world.bought()).reservationId),
    ),
    refusal([409, 'g2a_order_id_taken'], 'the G2A order id of another order', async (world) =>
      paid(await world.reserve(), (await world.bought()).g2aOrderId),
    ),
    refusal([410, 'reservation_expired'], 'an expired reservation', async (world) => paid(await world.expired())),
    ...strangerRows(paid(UNKNOWN_ID)),
    ...unreadableBodyRows(post('')),
  ],
};

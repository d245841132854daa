import { type Ask, refusal, type StatusTable, strangerRows, success } from './status-table.js';
import { INEXACT_ID, UNKNOWN_ID } from './world.js';

const get = (order: string | number): Ask => ({ method: 'GET', path: `/order/${order}/inventory` });

export const inventory: StatusTable = {
  route: 'GET /order/{order_id}/inventory',
  rows: [
    success(200, 'delivered keys', [], async (world) => get((await world.bought()).orderId)),
    success(200, 'the same by G2A’s order id', [], async (world) => get((await world.bought()).g2aOrderId)),
    success(200, 'keys that are yet to come', [], async (world) => get(await world.pending())),
    ...[UNKNOWN_ID, 'x', '0', '1'.repeat(36), '1'.repeat(5000), INEXACT_ID, `${UNKNOWN_ID}x`, '%00', '..%2f'].map(
      (id) => refusal([404, 'order_not_found'], `the id ${id.slice(0, 40)}`, () => get(id)),
    ),
    ...strangerRows(get(UNKNOWN_ID)),
  ],
};

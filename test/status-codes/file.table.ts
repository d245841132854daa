import { type Ask, refusal, type StatusTable, strangerRows, success } from './status-table.js';
import { UNKNOWN_ID } from './world.js';

const get = (order: string | number, id: string): Ask => ({ method: 'GET', path: `/order/${order}/inventory/${id}` });

export const file: StatusTable = {
  route: 'GET /order/{order_id}/inventory/{id}',
  rows: [
    success(200, 'a file', ['keys', 'audit_log'], async (world) => {
      const { orderId, keys } = await world.boughtFile();
      return get(orderId, keys[0]!.id);
    }),
    success(200, 'a file that was delivered before', [], async (world) => {
      const { g2aOrderId, keys } = await world.boughtFile();
      const ask = get(g2aOrderId, keys[0]!.id);
      await world.send(ask);
      return ask;
    }),
    refusal([404, 'order_not_found'], 'an unknown order', () => get(UNKNOWN_ID, UNKNOWN_ID)),
    refusal([404, 'order_not_found'], 'an order that cannot exist', () => get('x', UNKNOWN_ID)),
    ...[UNKNOWN_ID, 'x', '1'.repeat(37), '%00'].map((id) =>
      refusal([404, 'item_not_found'], `the id ${id}`, async (world) => get((await world.boughtFile()).orderId, id)),
    ),
    refusal([404, 'item_not_found'], 'a text', async (world) => {
      const { orderId, keys } = await world.bought();
      return get(orderId, keys[0]!.id);
    }),
    refusal([404, 'item_not_found'], 'a file of another order', async (world) => {
      const { keys } = await world.boughtFile();
      return get((await world.bought()).orderId, keys[0]!.id);
    }),
    ...strangerRows(get(UNKNOWN_ID, UNKNOWN_ID)),
  ],
};

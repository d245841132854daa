import { type Ask, refusal, type StatusTable, strangerRows, success, unreadableBodyRows } from './status-table.js';
import { UNKNOWN_ID } from './world.js';

const remove = (order: string | number, ids: readonly string[]): Ask => ({
  method: 'DELETE',
  path: `/order/${order}/inventory?${ids.map((id) => `id[]=${id}`).join('&')}`,
});

export const returns: StatusTable = {
  route: 'DELETE /order/{order_id}/inventory',
  rows: [
    success(204, 'a key', ['keys', 'audit_log'], async (world) => {
      const { g2aOrderId, keys } = await world.buy();
      return remove(
        g2aOrderId,
        keys.map(({ id }) => id),
      );
    }),
    success(204, 'a returned key', [], async (world) => {
      const { orderId, keys } = await world.buy();
      const ask = remove(
        orderId,
        keys.map(({ id }) => id),
      );
      await world.send(ask);
      return ask;
    }),
    success(204, 'one key a hundred times', ['keys', 'audit_log'], async (world) => {
      const { orderId, keys } = await world.buy();
      return remove(orderId, Array<string>(100).fill(keys[0]!.id));
    }),
    ...['', '?', '?id[]=', '?id=', '?ids[]=1', `?id[]=${UNKNOWN_ID}&id[]=`].map((query) =>
      refusal([400, 'invalid_request'], `the query "${query}", which does not name what`, async (world) => ({
        method: 'DELETE',
        path: `/order/${(await world.bought()).orderId}/inventory${query}`,
      })),
    ),
    refusal([400, 'invalid_request'], 'more than 100 ids', async (world) => {
      const { orderId, keys } = await world.bought();
      return remove(orderId, Array<string>(101).fill(keys[0]!.id));
    }),
    refusal([404, 'order_not_found'], 'an unknown order', () => remove(UNKNOWN_ID, [UNKNOWN_ID])),
    refusal([404, 'order_not_found'], 'an order that cannot exist', () => remove('x', [UNKNOWN_ID])),
    ...[UNKNOWN_ID, 'x', '1'.repeat(37)].map((id) =>
      refusal([404, 'item_not_found'], `the id ${id}, beside a good one`, async (world) => {
        const { orderId, keys } = await world.bought();
        return remove(orderId, [keys[0]!.id, id]);
      }),
    ),
    refusal([404, 'item_not_found'], 'a key of another order', async (world) => {
      const file = await world.boughtFile();
      return remove((await world.bought()).orderId, [file.keys[0]!.id]);
    }),
    ...strangerRows(remove(UNKNOWN_ID, [UNKNOWN_ID])),
    ...unreadableBodyRows(remove(UNKNOWN_ID, [UNKNOWN_ID])),
  ],
};

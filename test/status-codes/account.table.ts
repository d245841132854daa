import { type Ask, refusal, type StatusTable, strangerRows } from './status-table.js';
import { type BoughtOrder, UNKNOWN_ID, type World } from './world.js';

const get = (order: string, id: string): Ask => ({ method: 'GET', path: `/order/${order}/inventory/${id}/account` });
const keyOf = (order: (world: World) => Promise<BoughtOrder>) => async (world: World) => {
  const { orderId, keys } = await order(world);
  return get(orderId, keys[0]!.id);
};

/** No key of ours is an account: there is no success. */
export const account: StatusTable = {
  route: 'GET /order/{order_id}/inventory/{id}/account',
  rows: [
    refusal(
      [404, 'item_not_found'],
      'a text',
      keyOf((world) => world.bought()),
    ),
    refusal(
      [404, 'item_not_found'],
      'a file',
      keyOf((world) => world.boughtFile()),
    ),
    refusal([404, 'item_not_found'], 'an unknown order', () => get(UNKNOWN_ID, UNKNOWN_ID)),
    ...strangerRows(get(UNKNOWN_ID, UNKNOWN_ID)),
  ],
};

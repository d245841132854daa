import { type Ask, refusal, type StatusTable, strangerRows, success, unreadableBodyRows } from './status-table.js';
import { UNKNOWN_ID } from './world.js';

const remove = (id: string): Ask => ({ method: 'DELETE', path: `/reservation/${id}` });

const CLAIM = ['reservations', 'stock_holds', 'audit_log'] as const;

export const release: StatusTable = {
  route: 'DELETE /reservation/{reservation_id}',
  rows: [
    success(204, 'a live one', CLAIM, async (world) => remove(await world.reserve())),
    success(204, 'an expired one', CLAIM, async (world) => remove(await world.expired())),
    success(204, 'a live one, with the JSON type of no body', CLAIM, async (world) => ({
      ...remove(await world.reserve()),
      contentType: 'application/json',
    })),
    refusal([400, 'reservation_ordered'], 'an order', async (world) => remove((await world.bought()).reservationId)),
    refusal([404, 'reservation_not_found'], 'an unknown one', () => remove(UNKNOWN_ID)),
    refusal([404, 'reservation_not_found'], 'one that cannot exist', () => remove('x')),
    refusal([404, 'reservation_not_found'], 'a released one', async (world) => remove(await world.released())),
    ...strangerRows(remove(UNKNOWN_ID)),
    ...unreadableBodyRows(remove(UNKNOWN_ID)),
  ],
};

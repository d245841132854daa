import { type Ask, type StatusTable, strangerRows, success } from './status-table.js';

const ask: Ask = { method: 'GET', path: '/healthcheck' };

export const healthcheck: StatusTable = {
  route: 'GET /healthcheck',
  rows: [
    success(204, 'a token', [], () => ask),
    success(204, 'the client id and secret themselves', [], ({ basic }) => ({ ...ask, authorization: basic() })),
    success(204, 'the JSON type of no body', [], () => ({ ...ask, contentType: 'application/json' })),
    success(204, 'a token, while paused', [], async (world) => {
      await world.pause();
      return ask;
    }),
    ...strangerRows(ask),
  ],
};

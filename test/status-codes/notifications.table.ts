import { type Ask, refusal, type StatusTable, strangerRows, success, unreadableBodyRows } from './status-table.js';
import { UNKNOWN_ID } from './world.js';

const DATE = '2017-07-21T17:32:28Z';
const post = (body: unknown): Ask => ({ method: 'POST', path: '/notifications', body });
const deactivation = (data: object, date: string | null = DATE) => ({
  notification_type: 'auction_deactivated',
  date,
  data: { message: 'Some of the requested items do not exist', auction_id: 12345, ...data },
});

export const notifications: StatusTable = {
  route: 'POST /notifications',
  rows: [
    success(204, 'an offer that was switched off', ['notifications'], () =>
      post([deactivation({ offer_id: UNKNOWN_ID })]),
    ),
    success(204, 'the same again', [], () => post([deactivation({ offer_id: UNKNOWN_ID })])),
    success(204, 'a type that nobody knows', ['notifications'], () =>
      post([{ notification_type: 'something_new', date: DATE, data: {} }]),
    ),
    ...(
      [
        ['no body', undefined],
        ['an object', deactivation({})],
        ['an empty array', []],
        ['more than 100', Array.from({ length: 101 }, () => deactivation({ offer_id: UNKNOWN_ID }))],
        ['no type', [{ date: DATE }]],
        ['no date', [deactivation({ offer_id: UNKNOWN_ID }, null)]],
        ['no data', [{ notification_type: 'auction_deactivated', date: DATE }]],
        ['no offer', [deactivation({ auction_id: null })]],
        ['one bad of two', [deactivation({ offer_id: 'good' }), deactivation({ offer_id: 7 })]],
      ] as const
    ).map(([title, body]) => refusal([400, 'invalid_request'], title, () => post(body))),
    ...strangerRows(post([deactivation({ offer_id: UNKNOWN_ID })])),
    ...unreadableBodyRows(post('')),
  ],
};

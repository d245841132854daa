import { HttpError } from '../errors/http-error.js';
import { readNotifications } from './create-notifications.dto.js';

const OFFER = '3b6d0a52-7f0e-4a38-9d5b-0d8f0f0f1a01';
const DATE = '2017-07-21T17:32:28Z';
const deactivation = (data: unknown, date: unknown = DATE) => ({
  notification_type: 'auction_deactivated',
  date,
  data,
});

function refusal(body: unknown): string {
  try {
    readNotifications(body);
  } catch (error) {
    if (error instanceof HttpError && error.getStatus() === 400) return error.message;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a notification of a deactivation', () => {
  it('is read with what the contract gives it', () => {
    const data = { message: 'G2A product not found', auction_id: 12345, offer_id: OFFER.toUpperCase(), more: 1 };
    expect(readNotifications([deactivation(data)])).toEqual([
      {
        type: 'auction_deactivated',
        occurredAt: new Date(DATE),
        auctionId: 12345,
        offerId: OFFER,
        message: 'G2A product not found',
      },
    ]);
  });

  it.each([
    [{ offer_id: OFFER }, { offerId: OFFER, auctionId: null, message: null }],
    [
      { auction_id: '12345', message: null },
      { offerId: null, auctionId: 12345, message: null },
    ],
    [
      { offer_id: null, auction_id: 1, message: '' },
      { offerId: null, auctionId: 1, message: '' },
    ],
  ])('is read without what it can do without: %j', (data, expected) => {
    expect(readNotifications([deactivation(data)])).toMatchObject([expected]);
  });

  it.each([
    [null, 'the body must be a JSON array'],
    [[], 'the body must have 1 to 100 elements'],
    [Array.from({ length: 101 }, () => deactivation({ offer_id: OFFER })), 'the body must have 1 to 100 elements'],
    [['x'], '0 must be an object'],
    [[{}], '0.notification_type must be'],
    [[{ notification_type: 5 }], '0.notification_type must be'],
    [[{ notification_type: 'a\0b' }], '0.notification_type must be'],
    [[{ notification_type: 'x'.repeat(65) }], '0.notification_type must be'],
    [[deactivation({ offer_id: OFFER }, 'yesterday')], '0.date must be an ISO 8601 date'],
    [[deactivation({ offer_id: OFFER }, null)], '0.date must be an ISO 8601 date'],
    [[deactivation(undefined)], '0.data must be an object'],
    [[deactivation([])], '0.data must be an object'],
    [[deactivation({ message: 'x' })], '0.data must have an offer_id or an auction_id'],
    [[deactivation({ offer_id: 5 })], '0.data.offer_id must be'],
    [[deactivation({ offer_id: 'x'.repeat(37) })], '0.data.offer_id must be'],
    [[deactivation({ offer_id: '' })], '0.data.offer_id must be'],
    [[deactivation({ auction_id: 1.5 })], '0.data.auction_id must be'],
    [[deactivation({ auction_id: 2 ** 53 })], '0.data.auction_id must be'],
    [[deactivation({ auction_id: [] })], '0.data.auction_id must be'],
    [[deactivation({ offer_id: OFFER, message: {} })], '0.data.message must be a text'],
    [[deactivation({ offer_id: OFFER }), deactivation({})], '1.data must have'],
  ])('is refused, and the field named: %j', (body, message) => {
    expect(refusal(body)).toContain(message);
  });
});

describe('a notification of another type', () => {
  it.each([
    { notification_type: 'something_new', date: DATE, data: { a: [1] } },
    { notification_type: 'something_new' },
    { notification_type: 'something_new', date: 5, data: 'text' },
  ])('is kept as it came: %j', (body) => {
    const [notification] = readNotifications([body]);
    expect(notification).toEqual({
      type: 'other',
      name: 'something_new',
      occurredAt: body.date === DATE ? new Date(DATE) : null,
      payload: JSON.stringify(body),
    });
  });

  it('loses what is named like a secret', () => {
    const body = { notification_type: 'other', data: { client_secret: 's3cret', nested: [{ accessToken: 's3cret' }] } };
    expect(JSON.stringify(readNotifications([body]))).not.toContain('s3cret');
  });

  it('is refused when it is nested more deeply than can be written again', () => {
    const nested = JSON.parse('['.repeat(30_000) + ']'.repeat(30_000)) as unknown;
    expect(refusal([{ notification_type: 'other', data: nested }])).toBe('a notification is nested too deeply');
  });
});

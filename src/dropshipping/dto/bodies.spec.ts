import { HttpError } from '../errors/http-error.js';
import { ReservationNotFoundError } from '../../orders/order-errors.js';
import { readOrder } from './create-order.dto.js';
import { readReservation } from './create-reservation.dto.js';
import { readOrderReference } from './order-reference.js';

const PRODUCT = 10000068865001;
const UUID = '3b6d0a52-7f0e-4a38-9d5b-0d8f0f0f1a01';

/** The message of a 400; anything else fails the test. */
function problemOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof HttpError && error.getStatus() === 400) return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function item(fields: Record<string, unknown> = {}) {
  return { product_id: PRODUCT, quantity: 1, ...fields };
}

describe('A reservation', () => {
  it('keeps quoted prices as they are written, and ignores fields it does not know', () => {
    const additional_data = { unit_price: '5.980', auction_base_price: '15', other: 1 };
    expect(readReservation([item({ quantity: 3, additional_data, other: { a: 1 } })])).toEqual([
      { g2aProductId: PRODUCT, quantity: 3, quotedUnitPrice: '5.980', quotedBasePrice: '15' },
    ]);
  });

  it.each([
    [undefined],
    [null],
    ['5.98'],
    [{ unit_price: 5.98 }],
    [{ unit_price: '' }],
    [{ unit_price: '5,98' }],
    [{ unit_price: '-1' }],
    [{ unit_price: '1e3' }],
    [{ unit_price: ` ${'1'.repeat(10)}` }],
    [{ unit_price: '1'.repeat(33) }],
    [[{ unit_price: '5.98' }]],
  ])('does not fail over prices that are none: %j', (additional_data) => {
    expect(readReservation([item({ additional_data })])).toEqual([
      { g2aProductId: PRODUCT, quantity: 1, quotedUnitPrice: null, quotedBasePrice: null },
    ]);
  });

  it('takes a product id as digits too', () => {
    expect(readReservation([item({ product_id: String(PRODUCT) })])[0]!.g2aProductId).toBe(PRODUCT);
    expect(readReservation([item({ product_id: '9007199254740991' })])[0]!.g2aProductId).toBe(2 ** 53 - 1);
  });

  it('adds the quantities of a product named twice', () => {
    const twice = [item({ quantity: 2 }), item({ product_id: 7 }), item({ product_id: String(PRODUCT), quantity: 3 })];
    expect(readReservation(twice).map(({ g2aProductId, quantity }) => [g2aProductId, quantity])).toEqual([
      [PRODUCT, 5],
      [7, 1],
    ]);
  });

  it.each([
    ['0', 0],
    ['negative', -PRODUCT],
    ['a fraction', 1.5],
    ['beyond 2^53 - 1', JSON.parse('9007199254740993')],
    ['beyond 2^53 - 1 as digits', '9007199254740992'],
    ['of 17 digits', '10000000000000000'],
    ['with a leading zero', '010000068865001'],
    ['hexadecimal', '0x10'],
    ['padded', ` ${PRODUCT}`],
    ['infinite', JSON.parse('1e400')],
    ['missing', undefined],
    ['null', null],
    ['an array', [PRODUCT]],
  ])('refuses a product id that is %s', (_case, product_id) => {
    expect(problemOf(() => readReservation([item(), item({ product_id })]))).toBe(
      '1.product_id must be a whole number from 1 to 9007199254740991',
    );
  });

  it.each([[0], [-1], [1.5], ['1'], [10_001], [null], [undefined], [true], [[1]]])(
    'refuses the quantity %j',
    (quantity) => {
      expect(problemOf(() => readReservation([item({ quantity })]))).toBe(
        '0.quantity must be a whole number from 1 to 10000',
      );
    },
  );

  it.each([
    [undefined, 'the body must be a JSON array'],
    [null, 'the body must be a JSON array'],
    [{}, 'the body must be a JSON array'],
    ['[]', 'the body must be a JSON array'],
    [[], 'the body must have 1 to 100 elements'],
    [new Array(101).fill(item()), 'the body must have 1 to 100 elements'],
    [[item(), null], '1 must be an object'],
    [[[item()]], '0 must be an object'],
    [[5], '0 must be an object'],
  ])('refuses the body %j', (body, message) => {
    expect(problemOf(() => readReservation(body))).toBe(message);
  });

  it('tells the first five problems of many', () => {
    expect(problemOf(() => readReservation(new Array(100).fill({}))).split('; ')).toHaveLength(5);
  });

  it('refuses a value nested thousands deep like any other', () => {
    const deep = JSON.parse('['.repeat(30_000) + ']'.repeat(30_000));
    expect(problemOf(() => readReservation([{ product_id: deep, quantity: deep, additional_data: deep }]))).toContain(
      '0.product_id must be',
    );
  });
});

describe('An order', () => {
  it('takes the G2A order id as a number or as digits', () => {
    const order = { reservationId: UUID, g2aOrderId: 80201000000192 };
    expect(readOrder({ reservation_id: UUID, g2a_order_id: 80201000000192, other: 1 })).toEqual(order);
    expect(readOrder({ reservation_id: UUID, g2a_order_id: '80201000000192' })).toEqual(order);
  });

  it.each([
    [{ g2a_order_id: 1 }, 'reservation_id must be a string of 1 to 36 characters'],
    [{ reservation_id: 5, g2a_order_id: 1 }, 'reservation_id must be a string of 1 to 36 characters'],
    [{ reservation_id: '', g2a_order_id: 1 }, 'reservation_id must be a string of 1 to 36 characters'],
    [{ reservation_id: 'x'.repeat(37), g2a_order_id: 1 }, 'reservation_id must be a string of 1 to 36 characters'],
    [{ reservation_id: [UUID], g2a_order_id: 1 }, 'reservation_id must be a string of 1 to 36 characters'],
    [{ reservation_id: UUID }, 'g2a_order_id must be a whole number from 1 to 9007199254740991'],
    [{ reservation_id: UUID, g2a_order_id: 2 ** 53 }, 'g2a_order_id must be a whole number from 1 to 9007199254740991'],
    [undefined, 'the body must be an object'],
    [[], 'the body must be an object'],
  ])('refuses the body %j', (body, message) => {
    expect(problemOf(() => readOrder(body))).toBe(message);
  });

  it.each([['not-a-uuid'], [`${UUID.slice(0, -1)}g`], ['\0']])(
    'of %j is of no reservation of ours',
    (reservation_id) => {
      expect(() => readOrder({ reservation_id, g2a_order_id: 1 })).toThrow(ReservationNotFoundError);
    },
  );
});

describe('An order reference', () => {
  it.each([[UUID], [UUID.toUpperCase()], ['80201000000192'], ['9007199254740991']])('may be %s', (text) => {
    expect(readOrderReference(text)).toBe(text);
  });

  it.each([
    [''],
    ['x'],
    ['-1'],
    ['0'],
    ['1.5'],
    ['9007199254740992'],
    ['1'.repeat(37)],
    [`${UUID}0`],
    ['080201000000192'],
  ])('cannot be %j', (text) => {
    expect(() => readOrderReference(text)).toThrow('no such order');
  });
});

import type { SupplierOrder } from '../cws/cws.types.js';
import { cents } from '../money/cents.js';
import { unitCost } from './purchase-cost.rules.js';

const order = (
  status: SupplierOrder['status'],
  unitPrice: number | null,
  totalPrice: number | null,
): SupplierOrder => ({
  cwsOrderId: 'theirs',
  clientOrderId: 'ours',
  status,
  totalPrice: totalPrice === null ? null : cents(totalPrice),
  createdAt: null,
  lines: [{ cwsProductId: 'a product', unitPrice: unitPrice === null ? null : cents(unitPrice), codes: [] }],
});

describe('what a piece of a purchase did cost', () => {
  it.each<[string, SupplierOrder[], number, number | null]>([
    ['is the unit price', [order('completed', 632, 2000)], 3, 632],
    ['is a share of the total, rounded up to the cent', [order('completed', null, 2000)], 3, 667],
    [
      'is told by the first order that tells it',
      [order('completed', null, null), order('fulfilling', 640, null)],
      1,
      640,
    ],
    ['is not known where nothing is told', [order('completed', null, null)], 1, null],
    ['is not known by a total of nothing', [order('fulfilling', null, 0)], 1, null],
    ['is not known by the total of what was taken back', [order('cancelled', null, 632)], 1, null],
    ['is known by the unit price of what was taken back', [order('cancelled', 632, 0)], 1, 632],
    ['is not known without an order', [], 1, null],
  ])('%s', (_case, orders, quantity, expected) => {
    expect(unitCost(orders, quantity)).toBe(expected);
  });
});

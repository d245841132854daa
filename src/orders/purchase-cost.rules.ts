import type { SupplierOrder } from '../cws/cws.types.js';
import { type Cents, cents } from '../money/cents.js';
import { isTakenBack } from './purchase-end.rules.js';

/**
 * What one piece of a purchase did cost, in the currency of the CWS account: the unit price that CWS tells, or else the order's
 * total divided by the quantity, rounded up to the cent. An order that was taken back tells no total to go by, nor does 0.
 * @param orders what CWS has made for the purchase; the first one that tells a cost counts.
 * @param quantity pieces that each of them is about.
 * @returns null: CWS has not told it.
 */
export function unitCost(orders: readonly SupplierOrder[], quantity: number): Cents | null {
  for (const order of orders) {
    const unitPrice = order.lines.find((line) => line.unitPrice !== null)?.unitPrice ?? null;
    if (unitPrice !== null) return unitPrice;
    if (order.totalPrice !== null && order.totalPrice > 0 && !isTakenBack(order)) {
      return cents(Math.ceil(order.totalPrice / quantity));
    }
  }
  return null;
}

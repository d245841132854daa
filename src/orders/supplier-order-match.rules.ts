import type { SupplierOrder } from '../cws/cws.types.js';

/** What a purchase must be recognized by at CWS. */
export interface SoughtPurchase {
  readonly clientOrderId: string;
  readonly cwsProductId: string;
  readonly quantity: number;
}

/** What the client order ids of every installation begin with; each adds its own id, and the purchase's. */
export const CLIENT_ORDER_ID_START = 'KF-';

/** Whether a client order id that CWS shows is this one. Ours differ in more than the case of their letters. */
export function isSameReference(shown: string | null, clientOrderId: string): boolean {
  return shown?.toLowerCase() === clientOrderId.toLowerCase();
}

/** Whether a client order id that CWS shows begins like this, in whatever letters. */
export function hasPrefix(shown: string | null, prefix: string): shown is string {
  return shown?.toLowerCase().startsWith(prefix.toLowerCase()) === true;
}

/** Never attach on doubt: the answer must carry our id and our product, and no more of it than we wanted. */
export function isOurs(purchase: SoughtPurchase, order: SupplierOrder): boolean {
  return (
    isSameReference(order.clientOrderId, purchase.clientOrderId) &&
    order.lines.length > 0 &&
    order.lines.every((line) => line.cwsProductId === purchase.cwsProductId) &&
    order.lines.reduce((codes, line) => codes + line.codes.length, 0) <= purchase.quantity
  );
}

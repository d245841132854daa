import type { SupplierOrderStatus } from '../cws/cws.types.js';
import type { PurchaseState } from './order-state.rules.js';

/** CWS says that it does not fulfill an order. */
export function isTakenBack({ status }: { readonly status: SupplierOrderStatus }): boolean {
  return status === 'cancelled' || status === 'failed';
}

/** What one of CWS's orders has brought. */
export interface OrderNews {
  readonly status: SupplierOrderStatus;
  /** Codes of it that are stored. */
  readonly storedCodes: number;
  /** Codes that it lists and whose value could not be read: each may be a key that was paid for. */
  readonly unreadCodes: number;
}

/**
 * The state of a live purchase after CWS told about its orders. It is over when none of them can bring anything more, so that
 * no paid code is left behind; and has been made as soon as the keys are there.
 * @param purchase.orders how many orders CWS is known to have made for it; 1, unless it was made twice.
 * @param news of those orders that CWS showed now.
 */
export function stateAfterNews(
  purchase: { readonly quantity: number; readonly keys: number; readonly orders: number },
  news: readonly OrderNews[],
): 'fulfilling' | 'completed' | 'dead' {
  const { quantity, keys, orders } = purchase;
  const isOver =
    keys >= quantity * orders ||
    (news.length >= orders &&
      news.every((order) => order.storedCodes >= quantity || (isTakenBack(order) && order.unreadCodes === 0)));
  if (!isOver) return 'fulfilling';
  return keys >= quantity ? 'completed' : 'dead';
}

/** Whether a purchase is over: nothing it may still bring changes its state. */
export function isPurchaseOver(state: PurchaseState): boolean {
  return state === 'completed' || state === 'dead';
}

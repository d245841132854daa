import { isResolved, type OrderState, type PurchaseState } from './order-state.rules.js';

/** What decides an order's state: per item what is owed, what is there, and the live purchase if there is one. */
export interface ItemState {
  readonly quantity: number;
  readonly keys: number;
  /** Paid for and stored, but not to be handed over: see key-file.rules.ts. */
  readonly undeliverableKeys: number;
  readonly livePurchaseState: PurchaseState | null;
}

/**
 * The state that an order should be in. An order that a person was called for leaves that state only by being complete: what
 * made a machine give up must not make it silently try again. One that a person has settled stays so.
 */
export function nextOrderState(current: OrderState, items: readonly ItemState[]): OrderState {
  if (isResolved(current)) return current;
  if (items.every((item) => item.keys >= item.quantity)) {
    return items.some((item) => item.undeliverableKeys > 0) ? 'needs_attention' : 'completed';
  }
  if (current === 'needs_attention') return current;
  const isFulfilling = items.every(
    (item) =>
      item.keys >= item.quantity || item.livePurchaseState === 'fulfilling' || item.livePurchaseState === 'unknown',
  );
  return isFulfilling ? 'fulfilling' : 'purchasing';
}

import { isResolved, type OrderState, type PurchaseState } from './order-state.rules.js';

/** What decides how many pieces of an item are still to be bought. */
export interface ItemPieces {
  readonly quantity: number;
  readonly keys: number;
  /** Whatever its state: CWS may have sold, or still sell, what was never answered. */
  readonly livePurchases: readonly { readonly openPieces: number }[];
}

/** What decides an order's state: per item what is owed, what is there, and what is under way. */
export interface ItemState extends ItemPieces {
  /** Paid for and stored, but not to be handed over: see key-file.rules.ts. */
  readonly undeliverableKeys: number;
  readonly livePurchases: readonly { readonly openPieces: number; readonly state: PurchaseState }[];
}

/** Pieces that are owed and that no purchase under way is to bring. Never more are bought. */
export function piecesToBuy({ quantity, keys, livePurchases }: ItemPieces): number {
  const open = livePurchases.reduce((sum, { openPieces }) => sum + openPieces, 0);
  return Math.max(0, quantity - keys - open);
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
      item.keys >= item.quantity ||
      (piecesToBuy(item) === 0 &&
        item.livePurchases.every(({ state }) => state === 'fulfilling' || state === 'unknown')),
  );
  return isFulfilling ? 'fulfilling' : 'purchasing';
}

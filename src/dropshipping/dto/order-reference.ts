import { isUUID } from 'class-validator';
import { OrderNotFoundError } from '../../orders/order-errors.js';

/** Most characters of an id in G2A's contract. */
export const MAX_ID_LENGTH = 36;

const G2A_ORDER_ID = /^[1-9]\d{0,15}$/;

/**
 * An order's id in a path: our UUID, or the digits of G2A's own order id.
 * @throws OrderNotFoundError for anything else, such as an id beyond 2^53 - 1 that no order could be stored under.
 */
export function readOrderReference(text: string): string {
  if (isUUID(text) || (G2A_ORDER_ID.test(text) && Number.isSafeInteger(Number(text)))) return text;
  throw new OrderNotFoundError();
}

import { isUUID } from 'class-validator';

/** What a CWS postback lets us look at: never what to believe. */
export interface PostbackHints {
  /** Lower-case UUIDs of products that may have changed. */
  readonly cwsProductIds: readonly string[];
  /** References of orders, CWS's or our own, whose codes may have come. */
  readonly cwsOrderIds: readonly string[];
}

/** As long as anything that is an order's reference. */
const MAX_ORDER_ID_LENGTH = 64;

/** The `authHash` of a postback's body; '' when there is none. */
export function presentedHash(body: unknown): string {
  const hash = fieldOf(body, 'authHash');
  return typeof hash === 'string' ? hash.toLowerCase() : '';
}

/**
 * Reads a postback by its ids and not by its type: the types are not part of v3's reference, and an unknown one that names a
 * product is as good a hint. What is not understood hints at nothing.
 */
export function readHints(body: unknown): PostbackHints {
  const products = fieldOf(body, 'products');
  const listed = Array.isArray(products) ? products.map((product: unknown) => fieldOf(product, 'productId')) : [];
  const ids = [fieldOf(body, 'productId'), ...listed].filter((id): id is string => isUUID(id));
  const orderId = fieldOf(body, 'orderId');
  return {
    cwsProductIds: [...new Set(ids.map((id) => id.toLowerCase()))],
    cwsOrderIds:
      typeof orderId === 'string' && orderId !== '' && orderId.length <= MAX_ORDER_ID_LENGTH ? [orderId] : [],
  };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

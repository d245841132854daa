import type { RequestedItem } from '../../orders/reservation-plan.rules.js';
import { isWireObject, type WireObject } from '../../upstream/wire.js';
import { g2aIdFrom, IsG2aId, IsWholeNumber } from './is-whole-number.js';
import { readArrayBody } from './read-body.js';

const MAX_ITEMS = 100;
const MAX_QUANTITY = 10_000;
const DECIMAL = /^\d+(?:\.\d+)?$/;
const MAX_DECIMAL_LENGTH = 32;

/** One element of a reservation's body. Types are claims until it is validated. */
export class ReservationItemDto {
  @IsG2aId()
  readonly product_id: number;

  @IsWholeNumber(1, MAX_QUANTITY)
  readonly quantity: number;

  /** `additional_data.unit_price`, a decimal text; null when it is absent or anything else. */
  readonly unitPrice: string | null;
  /** `additional_data.auction_base_price`, likewise. */
  readonly auctionBasePrice: string | null;

  constructor(body: WireObject) {
    this.product_id = g2aIdFrom(body['product_id']) as number;
    this.quantity = body['quantity'] as number;
    const quoted = isWireObject(body['additional_data']) ? body['additional_data'] : {};
    this.unitPrice = decimalOrNull(quoted['unit_price']);
    this.auctionBasePrice = decimalOrNull(quoted['auction_base_price']);
  }
}

/**
 * What a reservation's body asks for, each product once: quantities of one named twice are added.
 * @throws HttpError 400 naming field and reason.
 */
export function readReservation(body: unknown): RequestedItem[] {
  const items = new Map<number, RequestedItem>();
  for (const { product_id, quantity, unitPrice, auctionBasePrice } of readArrayBody(
    ReservationItemDto,
    body,
    MAX_ITEMS,
  )) {
    const known = items.get(product_id);
    items.set(product_id, {
      g2aProductId: product_id,
      quantity: quantity + (known?.quantity ?? 0),
      quotedUnitPrice: known?.quotedUnitPrice ?? unitPrice,
      quotedBasePrice: known?.quotedBasePrice ?? auctionBasePrice,
    });
  }
  return [...items.values()];
}

// Prices are only kept for people. A reservation that can be honored does not fail over them: G2A switches offers off for that.
function decimalOrNull(value: unknown): string | null {
  return typeof value === 'string' && value.length <= MAX_DECIMAL_LENGTH && DECIMAL.test(value) ? value : null;
}

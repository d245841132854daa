import { isUUID, Length } from 'class-validator';
import { ReservationNotFoundError } from '../../orders/order-errors.js';
import type { WireObject } from '../../upstream/wire.js';
import { g2aIdFrom, IsG2aId } from './is-whole-number.js';
import { MAX_ID_LENGTH } from './order-reference.js';
import { readBody } from './read-body.js';

/** The body of an order. Types are claims until it is validated. */
export class CreateOrderDto {
  @Length(1, MAX_ID_LENGTH, { message: `$property must be a string of 1 to ${MAX_ID_LENGTH} characters` })
  readonly reservation_id: string;

  @IsG2aId()
  readonly g2a_order_id: number;

  constructor(body: WireObject) {
    this.reservation_id = body['reservation_id'] as string;
    this.g2a_order_id = g2aIdFrom(body['g2a_order_id']) as number;
  }
}

/**
 * @throws HttpError 400 naming field and reason.
 * @throws ReservationNotFoundError for an id that no reservation of ours can have.
 */
export function readOrder(body: unknown): { reservationId: string; g2aOrderId: number } {
  const { reservation_id, g2a_order_id } = readBody(CreateOrderDto, body);
  if (!isUUID(reservation_id)) throw new ReservationNotFoundError();
  return { reservationId: reservation_id.toLowerCase(), g2aOrderId: g2a_order_id };
}

import { isUUID } from 'class-validator';
import { ReservationNotFoundError } from '../../orders/order-errors.js';

/**
 * A reservation's id in a path.
 * @throws ReservationNotFoundError for an id that no reservation of ours can have.
 */
export function readReservationId(text: string): string {
  if (!isUUID(text)) throw new ReservationNotFoundError();
  return text.toLowerCase();
}

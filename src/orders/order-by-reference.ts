import { isUUID } from 'class-validator';
import type { EntityManager } from 'typeorm';
import { findOrder } from './keys.queries.js';
import { OrderNotFoundError } from './order-errors.js';

/**
 * The order that a caller means, with its items.
 * @param reference our UUID or the digits of the G2A order id.
 * @throws OrderNotFoundError
 */
export async function orderByReference(manager: EntityManager, reference: string) {
  const order = await findOrder(manager, parseReference(reference));
  if (order === null) throw new OrderNotFoundError();
  return order;
}

function parseReference(reference: string): { orderId: string } | { g2aOrderId: number } {
  if (isUUID(reference)) return { orderId: reference };
  const g2aOrderId = /^\d{1,16}$/.test(reference) ? Number(reference) : NaN;
  if (!Number.isSafeInteger(g2aOrderId)) throw new OrderNotFoundError();
  return { g2aOrderId };
}

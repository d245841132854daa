import { isUUID } from 'class-validator';
import type { EntityManager } from 'typeorm';
import { findOrderId } from './keys.queries.js';
import { OrderNotFoundError } from './order-errors.js';

/**
 * The id of the order that a caller means.
 * @param reference our UUID or the digits of the G2A order id.
 * @throws OrderNotFoundError
 */
export async function orderIdByReference(manager: EntityManager, reference: string): Promise<string> {
  const id = await findOrderId(manager, parseReference(reference));
  if (id === null) throw new OrderNotFoundError();
  return id;
}

/** The same without a look at the database where the reference is the id itself: no such order may exist. */
export async function possibleOrderId(manager: EntityManager, reference: string): Promise<string> {
  return isUUID(reference) ? reference.toLowerCase() : orderIdByReference(manager, reference);
}

function parseReference(reference: string): { orderId: string } | { g2aOrderId: number } {
  if (isUUID(reference)) return { orderId: reference };
  const g2aOrderId = /^\d{1,16}$/.test(reference) ? Number(reference) : NaN;
  if (!Number.isSafeInteger(g2aOrderId)) throw new OrderNotFoundError();
  return { g2aOrderId };
}

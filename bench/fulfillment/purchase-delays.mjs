import { setTimeout as sleep } from 'node:timers/promises';
import { exchange } from '../support/http.mjs';
import { purchaseArrivals } from './supplier-orders.mjs';

const BETWEEN_ORDERS_MS = 20;

/** Milliseconds from the 202 to the purchase arriving, per order (NaN: none came); the first ones warm the program up. */
export async function purchaseDelays(stage, customers, count) {
  const warmUp = Math.ceil(count / 4);
  const acceptedAt = new Map();
  for (const reservationId of await customers.reserve(count + warmUp)) {
    const { body } = await exchange(stage.app.url, customers.order(reservationId));
    acceptedAt.set(JSON.parse(body).order_id, Date.now());
    customers.countOrders(1);
    await sleep(BETWEEN_ORDERS_MS);
  }
  await customers.purchasesDone();
  const arrivedAt = await purchaseArrivals(stage);
  const delays = [...acceptedAt].map(([orderId, atMs]) => (arrivedAt.get(orderId) ?? NaN) - atMs);
  return delays.slice(warmUp);
}

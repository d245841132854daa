import { setTimeout as sleep } from 'node:timers/promises';
import { postJson, sendAll } from '../support/http.mjs';
import { processorMs } from '../support/processes.mjs';
import { detailRequests, query, supplierOrders } from './supplier-orders.mjs';

/** So many of the waiting ones are fulfilled in the end. */
export const CHANGED = 10;
const PATIENCE_MS = 120_000;

/**
 * What it costs to wait for many purchases whose codes do not come.
 * @returns `perMinute`: requests to CodesWholesale by route, an order's details split by the id that they were asked for by;
 *   `processorShare` of one core, of the program; `changed`, when some were fulfilled: `shown` of `count`, after `longestMs`, and
 *   `detailsOfOthers`, questions for an order that had not changed.
 */
export async function waitForMany(stage, customers, { count, seconds, log }) {
  const orderIds = await orderMany(stage, customers, count);
  log('all are bought');
  const sinceMs = Date.now();
  const processorBefore = processorMs(stage.app.pid);
  await sleep(seconds * 1_000);
  const processorShare = (processorMs(stage.app.pid) - processorBefore) / (Date.now() - sinceMs);
  const perMinute = await requestsPerMinute(stage, sinceMs, seconds);
  log(`${CHANGED} of them are fulfilled`);
  return { count, seconds, perMinute, processorShare, changed: await change(stage, orderIds) };
}

/** @returns our orders, all bought and none fulfilled. */
async function orderMany(stage, customers, count) {
  await stage.cws.behave({ name: 'fulfillsAfterSeconds' });
  const requests = (await customers.reserve(count)).map((reservationId) => customers.order(reservationId));
  const answers = await sendAll(stage.app.url, requests, customers.connections);
  customers.countOrders(count);
  await customers.purchasesDone();
  const orderIds = answers.map((body) => JSON.parse(body).order_id);
  await until(stage, orderIds, 'fulfilling', count);
  return orderIds;
}

async function requestsPerMinute(stage, sinceMs, seconds) {
  const counts = {};
  for (const { route, path, atMs } of await stage.cws.requests()) {
    if (atMs < sinceMs || atMs >= sinceMs + seconds * 1_000) continue;
    const isOurId = route === 'GET /v3/orders/:id' && path.includes('/KF-');
    const name = isOurId ? 'GET /v3/orders/{our id}' : route.replace(/:(\w+)/, '{$1}');
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return Object.fromEntries(
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, requests]) => [name, Math.round((requests * 60) / seconds)]),
  );
}

async function change(stage, orderIds) {
  const sold = await supplierOrders(stage);
  const step = Math.floor(orderIds.length / CHANGED);
  const chosen = Array.from({ length: CHANGED }, (_, index) => orderIds[index * step]);
  const ids = new Set(chosen.map((orderId) => sold.get(orderId).orderId));
  const sinceMs = Date.now();
  for (const id of ids) await postJson(stage.cws.url, `/_sandbox/orders/${id}/finish`, {});
  const shown = await until(stage, chosen, 'completed', CHANGED);
  const longestMs = Date.now() - sinceMs;
  const details = (await detailRequests(stage, sinceMs)).filter(({ cwsOrderId }) => cwsOrderId !== null);
  return {
    count: CHANGED,
    shown,
    longestMs,
    detailsOfChanged: details.filter(({ cwsOrderId }) => ids.has(cwsOrderId)).length,
    detailsOfOthers: details.filter(({ cwsOrderId }) => !ids.has(cwsOrderId)).length,
  };
}

/** Waits, with patience, for so many of the orders to be in a state. @returns how many are. */
async function until(stage, orderIds, state, count) {
  const giveUpAtMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const [row] = await query(
      stage,
      'SELECT count(*)::integer AS reached FROM orders WHERE id = ANY ($1::uuid[]) AND state = $2',
      [orderIds, state],
    );
    if (row.reached >= count || Date.now() > giveUpAtMs) return row.reached;
    await sleep(100);
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { exchange } from '../support/http.mjs';
import { detailRequests, supplierOrders } from './supplier-orders.mjs';

/** So long after the purchase a code is there, spread evenly: in every gap between two questions, and early and late in it. */
const SHORTEST_SECONDS = 0.2;
const LONGEST_SECONDS = 20;
/** Orders at a time. Of up to 25 each is asked for by itself; more are watched together, a second less exactly. */
const BATCH = 20;
const BETWEEN_ORDERS_MS = 100;
/** How finely the inventory is watched; it counts into the result. */
const WATCH_MS = 20;
const PATIENCE_MS = 60_000;

/** The gaps between two questions about a purchase, as docs/fulfillment.md tells them. */
const FIRST_GAP_MS = 2_000;
const GAP_GROWTH = 1.5;
const LONGEST_GAP_MS = 15_000;

/**
 * From CodesWholesale having the code to the inventory showing it, per order: `delayMs` (NaN: it was never shown), and `gapMs` that was
 * in force then, by the number of questions that had arrived before.
 */
export async function inventoryDelays(stage, customers, count) {
  const seconds = Array.from({ length: count }, (_, index) => secondsOf(index, count));
  const batches = Math.ceil(count / BATCH);
  const delays = [];
  for (let batch = 0; batch < batches; batch += 1) {
    // Each batch has early ones and late ones.
    delays.push(
      ...(await playBatch(
        stage,
        customers,
        seconds.filter((_, index) => index % batches === batch),
      )),
    );
  }
  return delays;
}

function secondsOf(index, count) {
  const share = count === 1 ? 0.5 : index / (count - 1);
  return Number((SHORTEST_SECONDS + share * (LONGEST_SECONDS - SHORTEST_SECONDS)).toFixed(3));
}

async function playBatch(stage, customers, allSeconds) {
  const beganAtMs = Date.now();
  for (const seconds of allSeconds) await stage.cws.behave({ name: 'fulfillsAfterSeconds', seconds, times: 1 });
  const shown = await Promise.all(
    (await customers.reserve(allSeconds.length)).map(async (reservationId, index) => {
      await sleep(index * BETWEEN_ORDERS_MS);
      const { body } = await exchange(stage.app.url, customers.order(reservationId));
      customers.countOrders(1);
      const orderId = JSON.parse(body).order_id;
      return { orderId, atMs: await firstShown(stage, customers, orderId) };
    }),
  );
  const sold = await supplierOrders(stage);
  const details = await detailRequests(stage, beganAtMs);
  return shown.map(({ orderId, atMs }) => {
    const order = sold.get(orderId);
    const questions = details.filter(
      (asked) => asked.cwsOrderId === order?.orderId && asked.atMs < order?.endsAtMs,
    ).length;
    return {
      delayMs: atMs - (order?.endsAtMs ?? NaN),
      gapMs: Math.min(FIRST_GAP_MS * GAP_GROWTH ** questions, LONGEST_GAP_MS),
    };
  });
}

/** When the inventory had the key; NaN when it never came. */
async function firstShown(stage, customers, orderId) {
  const giveUpAtMs = Date.now() + PATIENCE_MS;
  while (Date.now() < giveUpAtMs) {
    const { body } = await exchange(stage.app.url, customers.inventory(orderId));
    if (JSON.parse(body)[0].inventory.length > 0) return Date.now();
    await sleep(WATCH_MS);
  }
  return NaN;
}

// From the paid order to the key in the customer's hands, with a supplier that answers at once. See README.md.
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { Customers } from './contract/customers.mjs';
import { openStage } from './contract/stage.mjs';
import { exchange } from './support/http.mjs';
import { percentile } from './support/statistics.mjs';

const HELP = `Usage: npm run bench -- fulfillment [options]

Measures, one order after the other, with a CodesWholesale that answers at once:
  - from the 202 of POST /order to the purchase arriving at CodesWholesale (median below 25 ms wanted);
  - from a code being there to GET inventory showing it, when the purchase was 'Fulfilling' (at most one poll gap, 2 s, wanted).
Exit code 0 when both are met, 1 when one is missed, 2 for wrong options.

  --orders N    orders of the first measurement (default: 200)
  --pending N   orders of the second one (default: 20)
  --json        the result as JSON on standard output; progress goes to standard error
  --help`;

const SEND_LIMIT_MS = 25;
/** The first gap between two questions about a purchase. */
const POLL_GAP_MS = 2000;
/** How finely the inventory is watched; it counts into the result. */
const WATCH_MS = 20;
const BETWEEN_ORDERS_MS = 20;

const options = readOptions();
if (options !== null) await main(options);

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        orders: { type: 'string', default: '200' },
        pending: { type: 'string', default: '20' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      return null;
    }
    const [orders, pending] = ['orders', 'pending'].map((name) => {
      const number = Number(values[name]);
      if (!Number.isSafeInteger(number) || number < 1)
        throw new Error(`--${name}: '${values[name]}' is not a whole number above 0`);
      return number;
    });
    return { orders, pending, isJson: values.json };
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`);
    process.exit(2);
  }
}

async function main({ orders, pending, isJson }) {
  const startedAt = performance.now();
  const log = (line) => {
    process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${line}\n`);
  };
  const stage = await openStage({ log });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      await stage.close();
      process.exit(130);
    });
  }
  try {
    await stage.cws.setLatency(0);
    const customers = new Customers(stage, 1);
    await customers.open();
    log(`${orders} orders, one after the other`);
    const toPurchase = await purchaseDelays(stage, customers, orders);
    log(`${pending} orders that CodesWholesale takes a while for`);
    const toInventory = await inventoryDelays(stage, customers, pending);
    report({ toPurchase, toInventory }, isJson);
  } finally {
    await stage.close();
  }
}

/** Milliseconds from the 202 to the purchase arriving, per order; the first ones warm the program up. */
async function purchaseDelays(stage, customers, count) {
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
  const delays = [...acceptedAt].map(([orderId, atMs]) => arrivedAt.get(orderId) - atMs);
  return delays.slice(warmUp);
}

/** When the first purchase of each order arrived at CodesWholesale. */
async function purchaseArrivals(stage) {
  const client = new pg.Client({ connectionString: stage.url });
  await client.connect();
  const { rows } = await client.query(
    `SELECT order_id, client_order_id FROM purchases JOIN order_items item ON item.id = order_item_id`,
  );
  await client.end();
  const orders = new Map(rows.map((row) => [row.client_order_id, row.order_id]));
  const arrivals = new Map();
  for (const request of await stage.cws.requests()) {
    if (request.route !== 'POST /v3/orders') continue;
    const orderId = orders.get(request.order.orderId);
    if (orderId !== undefined && !arrivals.has(orderId)) arrivals.set(orderId, request.atMs);
  }
  return arrivals;
}

/** Milliseconds from CodesWholesale having the code to the inventory showing it, per order. */
async function inventoryDelays(stage, customers, count) {
  const seconds = 1;
  await stage.cws.behave({ name: 'fulfillsAfterSeconds', seconds });
  const delays = await Promise.all(
    (await customers.reserve(count)).map(async (reservationId, index) => {
      await sleep(index * 100);
      const { body } = await exchange(stage.app.url, customers.order(reservationId));
      const orderId = JSON.parse(body).order_id;
      for (;;) {
        const inventory = await exchange(stage.app.url, customers.inventory(orderId));
        if (JSON.parse(inventory.body)[0].inventory.length > 0) return { orderId, shownAt: Date.now() };
        await sleep(WATCH_MS);
      }
    }),
  );
  const arrivals = await purchaseArrivals(stage);
  return delays.map(({ orderId, shownAt }) => shownAt - (arrivals.get(orderId) + seconds * 1000));
}

function report({ toPurchase, toInventory }, isJson) {
  const summary = (values) => {
    const sorted = [...values].sort((a, b) => a - b);
    return {
      count: values.length,
      medianMs: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      maxMs: sorted.at(-1),
    };
  };
  const result = { toPurchase: summary(toPurchase), toInventory: summary(toInventory) };
  const missed = [
    ...(result.toPurchase.medianMs >= SEND_LIMIT_MS
      ? [`202 to purchase: median ${result.toPurchase.medianMs} ms`]
      : []),
    ...(result.toInventory.maxMs > POLL_GAP_MS + WATCH_MS * 5
      ? [`code to inventory: ${result.toInventory.maxMs} ms`]
      : []),
  ];
  if (isJson) {
    console.log(JSON.stringify({ node: process.versions.node, ...result, missed }, null, 2));
  } else {
    const line = (name, { count, medianMs, p99Ms, maxMs }) =>
      console.log(`${name.padEnd(34)}${count} orders: median ${medianMs} ms, p99 ${p99Ms} ms, longest ${maxMs} ms`);
    line('202 to purchase at CodesWholesale', result.toPurchase);
    line('code there to inventory shows it', result.toInventory);
    console.log(missed.length === 0 ? 'all targets met' : `MISSED: ${missed.join('; ')}`);
  }
  process.exitCode = missed.length === 0 ? 0 : 1;
}

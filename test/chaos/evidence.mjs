import { setTimeout as sleep } from 'node:timers/promises';
import { control } from './control.mjs';
import { itemsOf } from './shoppers.mjs';
import { DEADLINE_SECONDS, FEE_PERCENT, OPENING_BALANCE_CENTS, SUPPLIERS } from './stage.mjs';

/** After the deadline a purchase is looked at by the next job at once; slow machines get some more. */
const GRACE_SECONDS = 60;
const SHOW_AT_ONCE = 8;
const SHOW_ATTEMPTS = 20;

const FINAL = `state IN ('completed', 'needs_attention', 'failed')`;

/**
 * Waits, undisturbed, until every order is in a final state or should be; then lets the long gap after the deadline (5 minutes)
 * pass at once, so that whatever CWS has by now was asked for.
 */
export async function untilFinal({ database }, log) {
  const deadline = Date.now() + (DEADLINE_SECONDS + GRACE_SECONDS) * 1_000;
  for (let left = Infinity; left > 0 && Date.now() < deadline;) {
    const [row] = await database.query(`SELECT count(*)::integer AS open FROM orders WHERE NOT (${FINAL})`);
    if (row.open !== left) log(`${row.open} orders are not final yet`);
    left = row.open;
    await sleep(500);
  }
  await database.query(
    `UPDATE pgboss.job SET start_after = now() WHERE name = 'poll-purchase' AND state IN ('created', 'retry')`,
  );
  for (let due = 1; due > 0 && Date.now() < deadline + GRACE_SECONDS * 1_000;) {
    await sleep(500);
    const [row] = await database.query(
      `SELECT count(*)::integer AS due FROM pgboss.job
       WHERE state = 'active' OR state IN ('created', 'retry') AND start_after <= now()`,
    );
    due = row.due;
  }
}

/**
 * Everything that check() compares.
 * @param played what was done: `notes` of the customers, how many `customers` were to come, and the `disturber`.
 */
export async function gather({ database, replicas, cwsUrl, market }, { notes, customers, disturber }) {
  const orderIds = [...new Set(notes.flatMap((note) => note.orderIds))];
  const deliveries = await show(replicas, orderIds);
  const [orders, items, purchases, keys, alerts] = [
    await database.query(
      `SELECT id, g2a_order_id AS "g2aOrderId", state, attention_reason AS "attentionReason" FROM orders`,
    ),
    await database.query(
      `SELECT id, order_id AS "orderId", g2a_product_id AS "g2aProductId", quantity, sale_price_cents AS "salePriceCents"
       FROM order_items`,
    ),
    await database.query(
      `SELECT id, order_item_id AS "orderItemId", client_order_id AS "clientOrderId", cws_product_id AS "cwsProductId",
         quantity, price_cap_cents AS "priceCapCents", unit_price_cents AS "unitPriceCents", state,
         send_count AS "sendCount", last_error AS "lastError",
         extract(epoch FROM created_at)::float8 * 1000 AS "createdAtMs"
       FROM purchases`,
    ),
    await database.query(
      `SELECT id, purchase_id AS "purchaseId", order_item_id AS "orderItemId", cws_code_id AS "cwsCodeId" FROM keys`,
    ),
    await database.query(
      `SELECT kind, subject, message, cleared_at IS NULL AS "isOpen",
         extract(epoch FROM last_raised_at)::float8 * 1000 AS "lastRaisedAtMs"
       FROM alerts`,
    ),
  ];
  return {
    notes,
    customers,
    deliveries,
    ledger: await control(cwsUrl, 'GET', 'ledger'),
    ...askedOf(await control(cwsUrl, 'GET', 'requests')),
    market,
    openingBalanceCents: OPENING_BALANCE_CENTS,
    suppliers: SUPPLIERS,
    feePercent: FEE_PERCENT,
    // PostgreSQL's driver gives bigint as text.
    orders: orders.map((order) => ({ ...order, g2aOrderId: Number(order.g2aOrderId) })),
    items: items.map((item) => ({ ...item, g2aProductId: Number(item.g2aProductId) })),
    purchases,
    keys,
    alerts,
    ownExitCodes: replicas.flatMap(({ ownExitCodes }) => ownExitCodes),
    disturbances: {
      kills: replicas.reduce((sum, replica) => sum + replica.kills, 0),
      freezes: disturber.freezes,
      databaseRestarts: disturber.restarts,
    },
  };
}

/** What CWS was asked that matters here, and what it answered: its log without all the rest. */
function askedOf(requests) {
  const of = (route) => requests.filter((request) => request.route === route);
  return {
    posts: of('POST /v3/orders').map(({ atMs, status, order }) => ({
      atMs,
      status,
      reference: order?.orderId ?? null,
      productId: order?.products[0]?.productId ?? null,
    })),
    historyAnswers: of('GET /v3/orders').map(({ atMs, status }) => ({ atMs, status })),
  };
}

/** The inventory of every order, at every replica. */
async function show(replicas, orderIds) {
  const deliveries = [];
  const waiting = [...orderIds];
  const work = async () => {
    for (let orderId = waiting.pop(); orderId !== undefined; orderId = waiting.pop()) {
      const answers = [];
      for (const replica of replicas) answers.push(await inventory(replica, orderId));
      deliveries.push({ orderId, answers });
    }
  };
  await Promise.all(Array.from({ length: SHOW_AT_ONCE }, work));
  return deliveries;
}

async function inventory(replica, orderId) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await replica.untilUp();
      const answer = await replica.customer.inventory(orderId);
      if (answer.ok) return itemsOf(answer.body);
      throw new Error(`${answer.status} ${answer.error.message}`);
    } catch (error) {
      if (attempt === SHOW_ATTEMPTS) {
        throw new Error(`${replica.name} does not show order ${orderId}: ${error.message}`, { cause: error });
      }
      await sleep(250);
    }
  }
}

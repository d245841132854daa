import pg from 'pg';
import { readJson } from '../support/http.mjs';

/** What the program's tables say. */
export async function query(stage, text, values) {
  const client = new pg.Client({ connectionString: stage.url });
  await client.connect();
  const { rows } = await client.query(text, values);
  await client.end();
  return rows;
}

/** Our order by the reference of each of its purchases. */
async function ordersByReference(stage) {
  const rows = await query(
    stage,
    'SELECT order_id, client_order_id FROM purchases JOIN order_items item ON item.id = order_item_id',
  );
  return new Map(rows.map((row) => [row.client_order_id, row.order_id]));
}

/** When the first purchase of each order arrived at CodesWholesale, by our order. */
export async function purchaseArrivals(stage) {
  const orders = await ordersByReference(stage);
  const arrivals = new Map();
  for (const request of await stage.cws.requests()) {
    if (request.route !== 'POST /v3/orders') continue;
    const orderId = orders.get(request.order.orderId);
    if (orderId !== undefined && !arrivals.has(orderId)) arrivals.set(orderId, request.atMs);
  }
  return arrivals;
}

/** CodesWholesale's orders as its ledger has them, by our order. */
export async function supplierOrders(stage) {
  const orders = await ordersByReference(stage);
  const { orders: sold } = await readJson(stage.cws.url, '/_sandbox/ledger');
  return new Map(sold.map((order) => [orders.get(order.clientOrderId), order]));
}

/** Questions for one order's details: `cwsOrderId` is null when it was asked for by our own id, as the look-ups are tried. */
export async function detailRequests(stage, sinceMs) {
  return (await stage.cws.requests())
    .filter(({ route, atMs }) => route === 'GET /v3/orders/:id' && atMs >= sinceMs)
    .map(({ atMs, path }) => {
      const id = path.split('/').at(-1);
      return { atMs, cwsOrderId: id.startsWith('KF-') ? null : id };
    });
}

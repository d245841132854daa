import { readFileSync } from 'node:fs';
import pg from 'pg';
import { randomUUID } from 'node:crypto';
import { dataSourceOptions } from '../dist/database/data-source-options.js';
import { stockToReserve } from '../dist/orders/reservable-stock.queries.js';
import { insertReservation } from '../dist/orders/reservations.queries.js';
import { lockStock } from '../dist/catalog/stock-holds.queries.js';
import { currentRate } from '../dist/catalog/exchange-rates.queries.js';
import { g2aProductId } from '../dist/sandbox/catalog.js';
const { url } = JSON.parse(readFileSync('/tmp/hold.json'));
const o = dataSourceOptions(url, 'micro');
const c = new o.extra.Client({ connectionString: url, types: o.extra.types, application_name: 'micro' });
await c.connect();
const { rows: [{ pid }] } = await c.query('SELECT pg_backend_pid() AS pid');
const cpu = (p = pid) => { const s = readFileSync(`/proc/${p}/stat`, 'utf8').split(') ')[1].split(' '); return (Number(s[11]) + Number(s[12])) * 10; };
let k = 0;
const manager = (f = (t) => t) => ({ query: async (text, params) => (await c.query(f(text), params)).rows });
async function run(name, n, work) {
  for (let i = 0; i < 50; i++) await work();
  const a = cpu(), t = process.cpuUsage(), w = Date.now();
  for (let i = 0; i < n; i++) await work();
  const u = process.cpuUsage(t);
  console.log(name.padEnd(34), 'backend', ((cpu() - a) / n).toFixed(3), 'client', ((u.user + u.system) / 1000 / n).toFixed(3), 'wall', ((Date.now() - w) / n).toFixed(3));
}
const N = 4000;
const next = () => g2aProductId((k++ % 2000) + 1);
const only = process.argv[2];
const arr = (t) => t.replace(/\(SELECT jsonb_agg\(jsonb_build_array[\s\S]*?AS simulations/, 'ARRAY(SELECT ARRAY[price_cents, income_cents, business_income_cents] FROM price_simulations WHERE g2a_product_id = mapping.g2a_product_id ORDER BY price_cents) AS simulations');
const part = (t) => t.replace(/extract\(epoch FROM/g, "date_part('epoch',");
const tests = {
  async trivial() { await c.query('SELECT $1::int AS a', [1]); },
  async begincommit() { await c.query('BEGIN'); await c.query('COMMIT'); },
  async begin2commit() { await c.query('BEGIN; SET LOCAL idle_in_transaction_session_timeout = 5000'); await c.query('COMMIT'); },
  async lock() { await c.query('BEGIN'); await lockStock(manager(), [next()]); await c.query('COMMIT'); },
  async lockRollback() { await c.query('BEGIN'); await lockStock(manager(), [next()]); await c.query('ROLLBACK'); },
  async lockJoin() { await c.query('BEGIN'); await c.query('SELECT product.cws_product_id AS id FROM product_mapping_suppliers link JOIN supplier_products product USING (cws_product_id) WHERE link.g2a_product_id = $1 ORDER BY 1 FOR NO KEY UPDATE OF product', [next()]); await c.query('ROLLBACK'); },
  async lockJoinNoOrder() { await c.query('BEGIN'); await c.query('SELECT product.cws_product_id AS id FROM product_mapping_suppliers link JOIN supplier_products product USING (cws_product_id) WHERE link.g2a_product_id = $1 FOR NO KEY UPDATE OF product', [next()]); await c.query('ROLLBACK'); },
  async lockLimit() { await c.query('BEGIN'); await c.query('SELECT cws_product_id FROM supplier_products WHERE cws_product_id = $1 FOR UPDATE', [sup]); await c.query('ROLLBACK'); },
  async select() { await stockToReserve(manager(), [next()]); },
  async selectNoSim() { await stockToReserve(manager((t) => t.replace(/\(SELECT jsonb_agg\(jsonb_build_array[\s\S]*?AS simulations/, 'NULL::jsonb AS simulations')), [next()]); },
  async selectNoOrder() { await stockToReserve(manager((t) => t.replace(/ORDER BY mapping[^)]*$/, '')), [next()]); },
  
  async selectArr() { await stockToReserve(manager((t) => arr(t)), [next()]); },
  async selectArrPart() { await stockToReserve(manager((t) => part(arr(t))), [next()]); },
  async selectArrPartPos() { await stockToReserve(manager((t) => part(arr(t)).replace(/ORDER BY mapping.g2a_product_id, link.position, link.cws_product_id/, 'ORDER BY link.position')), [next()]); },
  async selectArrPartNone() { await stockToReserve(manager((t) => part(arr(t)).replace(/ORDER BY mapping.g2a_product_id, link.position, link.cws_product_id/, '')), [next()]); },
  async writeValues() { await c.query('BEGIN'); const r = randomUUID(), it = randomUUID(); await c.query(`WITH reservation AS (
       INSERT INTO reservations (id, state, expires_at) VALUES ($1, 'active', clock_timestamp() + make_interval(secs => $2)) RETURNING expires_at
     ), items AS (
       INSERT INTO reservation_items (id, reservation_id, g2a_product_id, quantity, sale_price_cents, sale_income_cents, quoted_unit_price, quoted_base_price)
       VALUES ($3::uuid, $1, $4::bigint, $5::integer, $6::integer, $13::integer, $7::text, $8::text)
     ), holds AS (
       INSERT INTO stock_holds (reservation_item_id, cws_product_id, quantity, state, expires_at)
       SELECT $9::uuid, $10::uuid, $11::integer, 'reserved', expires_at FROM reservation
     ) INSERT INTO audit_log (actor, action, subject_type, subject_id, details) VALUES ('g2a', 'reservation.created', 'reservation', $1::text, $12::jsonb)`, [r, 900, it, next(), 1, 1000, '10', null, it, sup, 1, '{"items":[{"g2aProductId":1000,"quantity":1,"salePriceCents":1000}]}', 900]); await c.query('ROLLBACK'); },
  async writeFour() { await c.query('BEGIN'); const r = randomUUID(), it = randomUUID(); await Promise.all([c.query(`INSERT INTO reservations (id, state, expires_at) VALUES ($1, 'active', clock_timestamp() + make_interval(secs => $2))`, [r, 900]), c.query(`INSERT INTO reservation_items (id, reservation_id, g2a_product_id, quantity, sale_price_cents, sale_income_cents, quoted_unit_price, quoted_base_price)
       VALUES ($3::uuid, $1, $4::bigint, $5::integer, $6::integer, $9::integer, $7::text, $8::text)`.replace('$3','$2').replace('$4','$3').replace('$5','$4').replace('$6','$5').replace('$9','$6'), [r, it, next(), 1, 1000, 900, '10', null]), c.query(`INSERT INTO stock_holds (reservation_item_id, cws_product_id, quantity, state, expires_at) SELECT $1::uuid, $2::uuid, $3::integer, 'reserved', clock_timestamp() + make_interval(secs => 900)`, [it, sup, 1]), c.query(`INSERT INTO audit_log (actor, action, subject_type, subject_id, details) VALUES ('g2a', 'reservation.created', 'reservation', $1::text, $2::jsonb)`, [r, '{"items":[{"g2aProductId":1000,"quantity":1,"salePriceCents":1000}]}'])]); await c.query('ROLLBACK'); },
  async writeAuditValues() { await c.query('BEGIN'); await insertReservation(manager((t) => t.replace(/SELECT 'g2a', action[\s\S]*$/, "SELECT 'g2a', 'reservation.created', 'reservation', $1::uuid::text, $3::jsonb").replace('VALUES ($1,', 'VALUES ($1::uuid,').replace('item.id, $1,', 'item.id, $1::uuid,')), randomUUID(), one(), 900); await c.query('ROLLBACK'); },
  async write() { await c.query('BEGIN'); await insertReservation(manager(), randomUUID(), one(), 900); await c.query(process.env.END ?? 'ROLLBACK'); },
};
const one = () => [{ g2aProductId: next(), quantity: 1, salePriceCents: 1000, saleIncomeCents: 900, quotedUnitPrice: '10', quotedBasePrice: null, allocations: [{ cwsProductId: sup, quantity: 1 }] }];
const { rows: [{ id: sup }] } = await c.query('SELECT cws_product_id AS id FROM supplier_products LIMIT 1');
for (const [name, work] of Object.entries(tests)) if (!only || only.split(',').includes(name)) await run(name, N, work);
await c.end();

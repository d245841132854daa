import { readFileSync } from 'node:fs'; import pg from 'pg';
import { maximumRate, paced } from './contract/load.mjs'; import { g2aProductId } from '../dist/sandbox/catalog.js';
import { metered } from './contract/processor-time.mjs'; import { APPLICATION_NAME } from './contract/stage.mjs';
const h = JSON.parse(readFileSync('/tmp/hold.json'));
const admin = new pg.Client(h.url); await admin.connect();
const { rows: [{ d }] } = await admin.query('SELECT current_database() d');
const [route, seconds, mode] = process.argv.slice(2);
const [id, secret] = Buffer.from(h.auth.split(' ')[1], 'base64').toString().split(':'); const headers = { authorization: 'Bearer ' + (await (await fetch(h.app + '/oauth/token?grant_type=client_credentials&client_id=' + id + '&client_secret=' + secret)).json()).access_token };
const all = { reservation: (i) => ({ method: 'POST', path: '/reservation', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify([{ product_id: g2aProductId((i % 2000) + 1), quantity: 1 }]) }),
 healthcheck: () => ({ method: 'GET', path: '/healthcheck', headers }) };
const reqs = Array.from({ length: 2000 }, (_, i) => all[route](i));
const run = () => metered({ admin, databaseName: d, pid: h.pid, applicationName: APPLICATION_NAME }, () => maximumRate(h.app, reqs, { connections: 32, seconds: Number(seconds) }));
const s = async (q) => (await admin.query(q)).rows;
if (mode === 'stat') { await s('CREATE EXTENSION IF NOT EXISTS pg_stat_statements'); await s('SELECT pg_stat_statements_reset()'); }
const r1 = await run(); console.log(JSON.stringify(r1));
if (mode === 'paced') { let k = 0; for (let i = 0; i < 3; i++) console.log(JSON.stringify(await paced(h.app, () => reqs[k++ % 2000], { connections: 32, rate: r1.rate / 2, seconds: 5 }))); }
if (mode === 'stat') for (const r of await s("SELECT round(total_exec_time::numeric) ms, round(total_plan_time::numeric) p, calls, left(regexp_replace(query, '\\s+', ' ', 'g'), 150) q FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 40")) console.log(Object.values(r).join(' | '));
await admin.end();

import { readFileSync, appendFileSync, writeFileSync } from 'node:fs';
import { Connection } from './contract/connection.mjs'; import { g2aProductId } from '../dist/sandbox/catalog.js'; import { setTimeout as sleep } from 'node:timers/promises';
const h = JSON.parse(readFileSync('/tmp/hold.json')); const [route, rate, seconds] = process.argv.slice(2); 
const [id, secret] = Buffer.from(h.auth.split(' ')[1], 'base64').toString().split(':'); const headers = { authorization: 'Bearer ' + (await (await fetch(h.app + '/oauth/token?grant_type=client_credentials&client_id=' + id + '&client_secret=' + secret)).json()).access_token };
const all = { reservation: (i) => ({ method: 'POST', path: '/reservation', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify([{ product_id: g2aProductId((i % 2000) + 1), quantity: 1 }]) }),
 healthcheck: () => ({ method: 'GET', path: '/healthcheck', headers }) };
const conns = await Promise.all(Array.from({ length: 32 }, () => Connection.open(h.app))); const idle = [...conns], queue = []; const out = []; let i = 0;
const work = async (c, job) => { for (; job; job = queue.shift()) { await c.send(job.r); out.push([job.due, performance.now()]); } idle.push(c); };
const start = performance.now(); let lag = 0, last = start; const lags = [];
for (let due = start; due < start + seconds * 1000;) { const n = performance.now(); if (n - last > 10) lags.push([last, n - last]); last = n; for (; due <= performance.now(); due += 1000 / rate) { const r = all[route](i++); const c = idle.shift(); if (c) void work(c, { r, due }); else queue.push({ r, due }); } await sleep(1); }
await sleep(1000); const t = out.map(([a, b]) => b - a).sort((a, b) => a - b); const p = (q) => t[Math.floor(t.length * q)].toFixed(1);
console.log(route, rate, 'n', t.length, 'p50', p(0.5), 'p90', p(0.9), 'p99', p(0.99), 'max', t.at(-1).toFixed(0));
// episodes: due times whose latency > 25 ms
const T = (x) => new Date(performance.timeOrigin + x).toISOString().slice(14, 23); let ep = null; const eps = [];
for (const [a, b] of out.sort((x, y) => x[0] - y[0])) if (b - a > 25) { if (ep && a - ep.end < 60) { ep.end = a; ep.n++; ep.max = Math.max(ep.max, b - a); } else { ep = { start: a, end: a, n: 1, max: b - a }; eps.push(ep); } }
for (const e of eps) if (e.n > 2) console.log(T(e.start), T(e.end), 'n', e.n, 'max', e.max.toFixed(0), 'genlag', lags.filter(([s, d]) => s + d > e.start - 20 && s < e.end + 20).map(([s, d]) => d.toFixed(0)).join(','));
process.exit(0);

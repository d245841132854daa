import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { g2aProductId } from '../sandbox/catalog.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

let keyferry: Keyferry;

beforeAll(async () => {
  keyferry = await startKeyferry();
  await mapGames(keyferry, [1]);
  await keyferry.sync();
});
afterAll(() => keyferry.stop());

it('answers what is under way when it closes, and says that it was the last answer of the connection', async () => {
  const body = JSON.stringify([{ product_id: g2aProductId(1), quantity: 1 }]);
  const token = await keyferry.customer.token();
  const blocker = new Client({ connectionString: keyferry.database.url });
  await blocker.connect();
  await blocker.query('BEGIN; SELECT FROM supplier_products FOR UPDATE');

  const { hostname, port } = new URL(keyferry.url);
  const socket = connect(Number(port), hostname);
  const answer = text(socket);
  socket.write(`POST /reservation HTTP/1.1\r\nHost: keyferry\r\nAuthorization: Bearer ${token}\r\n`);
  socket.write(`Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await untilWaitingForLock();
  const closed = keyferry.app.close();
  while (keyferry.app.getHttpServer().listening) await sleep(1);
  await blocker.query('COMMIT');
  await blocker.end();
  // Would wait for the connection to end, which nobody here does.
  await closed;

  expect(await answer).toMatch(/^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n[^]*"reservation_id"/i);
});

async function untilWaitingForLock(): Promise<void> {
  const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
  while ((await keyferry.sql(waiting)).length === 0) await sleep(5);
}

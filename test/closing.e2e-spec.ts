import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
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

it('answers what comes in on an open connection while it closes, and says that it was the last answer', async () => {
  const headers = `Host: keyferry\r\nAuthorization: Bearer ${await keyferry.customer.token()}\r\n`;
  const body = JSON.stringify([{ product_id: g2aProductId(1), quantity: 1 }]);
  const blocker = new Client({ connectionString: keyferry.database.url });
  await blocker.connect();
  await blocker.query('BEGIN; SELECT FROM supplier_products FOR UPDATE');

  const { hostname, port } = new URL(keyferry.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const answers = text(socket);
  socket.write(`POST /reservation HTTP/1.1\r\n${headers}Content-Type: application/json\r\n`);
  // The second request waits behind the first one, which waits for the lock.
  socket.write(`Content-Length: ${body.length}\r\n\r\n${body}GET /healthcheck HTTP/1.1\r\n${headers}\r\n`);
  await untilWaitingForLock(blocker);
  const closed = keyferry.app.close();
  while (keyferry.app.getHttpServer().listening) await setImmediate();
  await blocker.query('COMMIT');
  await blocker.end();
  await closed;

  const received = await answers;
  expect(received.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 204']);
  expect(received).toMatch(/204[^]*connection: close/i);
});

async function untilWaitingForLock(client: Client): Promise<void> {
  for (;;) {
    const { rowCount } = await client.query(
      `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
    );
    if ((rowCount ?? 0) > 0) return;
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { g2aProductId } from '../../dist/sandbox/catalog.js';
import { exchange, sendAll } from '../support/http.mjs';
import { CLIENT } from '../support/stage.mjs';
import { PRODUCTS } from './stage.mjs';

/** Purchases of orders that were accepted before; a few may be retried. */
const PURCHASES_LIMIT_MS = 120_000;
const TOKEN_PATH = `/oauth/token?grant_type=client_credentials&client_id=${CLIENT.id}&client_secret=${CLIENT.secret}`;

/** G2A as it calls us: builds the requests of all routes, and what they need beforehand. */
export class Customers {
  #headers;
  #nextG2aOrderId = 80_000_000_000_000;
  #accepted = 0;
  #product = 0;

  constructor(stage, connections) {
    this.stage = stage;
    this.connections = connections;
  }

  /** Logs in. */
  async open() {
    const { status, body } = await exchange(this.stage.app.url, this.token());
    if (status !== 200) throw new Error(`no token: ${status} ${body}`);
    this.#headers = { authorization: `Bearer ${JSON.parse(body).access_token}` };
  }

  token() {
    return { method: 'GET', path: TOKEN_PATH, headers: {} };
  }

  healthcheck() {
    return { method: 'GET', path: '/healthcheck', headers: this.#headers };
  }

  /** One piece of the next product in turn. */
  reservation() {
    this.#product = (this.#product + 1) % PRODUCTS;
    return this.#post('/reservation', [{ product_id: g2aProductId(this.#product + 1), quantity: 1 }]);
  }

  order(reservationId) {
    this.#nextG2aOrderId += 1;
    return this.#post('/order', { reservation_id: reservationId, g2a_order_id: this.#nextG2aOrderId });
  }

  inventory(orderId) {
    return { method: 'GET', path: `/order/${orderId}/inventory`, headers: this.#headers };
  }

  /** Reservations that nobody has ordered, made now. */
  async reserve(count) {
    const requests = Array.from({ length: count }, () => this.reservation());
    const answers = await sendAll(this.stage.app.url, requests, this.connections);
    return answers.map((body) => JSON.parse(body).reservation_id);
  }

  /** Orders whose keys have been delivered once. */
  async completedOrders(count) {
    const reservations = await this.reserve(count);
    const requests = reservations.map((reservationId) => this.order(reservationId));
    const answers = await sendAll(this.stage.app.url, requests, this.connections);
    const orderIds = answers.map((body) => JSON.parse(body).order_id);
    this.countOrders(count);
    await this.purchasesDone(orderIds);
    return orderIds;
  }

  /** To be told of every accepted order, so that purchasesDone knows what it waits for. */
  countOrders(count) {
    this.#accepted += count;
  }

  /** Waits until everything ordered was bought, and until these orders show their keys. */
  async purchasesDone(orderIds = []) {
    const deadline = Date.now() + PURCHASES_LIMIT_MS;
    let waiting = orderIds;
    for (;;) {
      const bought = (await this.stage.cws.counters())['POST /v3/orders']?.requests ?? 0;
      if (bought >= this.#accepted) {
        const answers = await sendAll(
          this.stage.app.url,
          waiting.map((orderId) => this.inventory(orderId)),
          this.connections,
        );
        waiting = waiting.filter((_, index) =>
          JSON.parse(answers[index]).some(({ inventory }) => inventory.length === 0),
        );
        if (waiting.length === 0) return;
      }
      if (Date.now() > deadline) {
        throw new Error(`${bought} of ${this.#accepted} purchases, ${waiting.length} orders without keys`);
      }
      await sleep(200);
    }
  }

  #post(path, value) {
    const headers = { ...this.#headers, 'content-type': 'application/json' };
    return { method: 'POST', path, headers, body: JSON.stringify(value) };
  }
}

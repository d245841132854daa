import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { lookupAccount } from '../../dist/orders/lookup-account.js';
import { startCwsSandbox } from '../../dist/sandbox/cws.js';
import { Customer, nextG2aOrderId } from '../../dist/sandbox/customer.js';
import { CATALOG, stockUp } from './kill-variants.mjs';
import { startProcess } from './processes.mjs';
import { CLIENT, environment } from './stage.mjs';

const MAIN = resolve(import.meta.dirname, '../../dist/main.js');
const HOOK = new URL('kill-hook.mjs', import.meta.url).href;
const LIMIT_MS = 40_000;
/** What still happens after the key was delivered is over by then: nothing is worked on that does not wait for its time. */
const QUIET_MS = 1_000;
/** For so long a killed process stays away, by the rows' times: past every time that the protocol waits for a silent worker. */
const AWAY_SECONDS = 60;
/** A purchase may be written for 5 s after it was intended, and an open transaction be idle for 10 s: whoever sleeps longer must change nothing. */
const FROZEN_MS = 12_000;
const FINAL_STATES = ['completed', 'needs_attention', 'failed'];

/** One program with its database and its supplier, and one order after the other in which it dies. */
export class KillLane {
  #env;
  #database;
  #cws;
  #logFile;
  #process;
  #steps = [];
  #customer;

  /** @param options.databaseUrl of a migrated database of its own, with all games mapped. */
  static async open({ name, databaseUrl, g2aUrl, directory }) {
    const lane = new KillLane();
    lane.#cws = await startCwsSandbox({ ...CATALOG, limits: { products: null, product: null, token: null } });
    stockUp(lane.#cws.supplier, {});
    lane.#env = {
      ...environment({ databaseUrl, cwsUrl: lane.#cws.url, g2aUrl }),
      // Once, at the start: what the background writes and asks is no step of an order.
      SYNC_INTERVAL_SECONDS: '3600',
      // With each reservation, before anything is recorded: what it finds the protocol builds on.
      RESERVATION_STOCK_MAX_AGE_SECONDS: '0',
      ORDER_POLL_TIMEOUT_SECONDS: '3600',
      PURCHASE_RESET_SETTLE_SECONDS: '3600',
      // The supplier is in the same machine: what has not arrived within a second never left.
      PURCHASE_SETTLE_SECONDS: '1',
    };
    lane.#logFile = join(directory, `${name}.log`);
    lane.#database = new pg.Client({ connectionString: databaseUrl, application_name: name });
    await lane.#database.connect();
    // Proven elsewhere (purchase-protocol.e2e-spec.ts): here a purchase that never left may be sent again.
    await lane.#database.query(
      `INSERT INTO purchase_lookups (account, way, found_at) VALUES ($1, 'by_id', now()), ($1, 'by_history', now())`,
      [lookupAccount({ cwsApiBaseUrl: lane.#env.CWS_API_BASE_URL, cwsClientId: lane.#env.CWS_CLIENT_ID })],
    );
    await lane.#start();
    return lane;
  }

  async close() {
    this.#process?.kill('SIGKILL');
    await this.#process?.ended;
    await this.#database.end();
    await this.#cws.close();
  }

  /** One order that nobody disturbs. @returns how it ended, and the steps from `POST /order` to the delivered key. */
  async record(variant) {
    return this.#order(variant, null);
  }

  /**
   * One order in which the process kills itself at this step, and is started again a minute later by the rows' times.
   * @returns how it ended, and whether the step was reached.
   */
  killAt(variant, step) {
    return this.#order(variant, { step, signal: 'SIGKILL' });
  }

  /** The same, but it freezes there, another process takes over, and it goes on when that one has done all it can. */
  freezeAt(variant, step) {
    return this.#order(variant, { step, signal: 'SIGSTOP' });
  }

  async #order(variant, victim) {
    const { behaviors } = this.#cws.traffic;
    behaviors.clear({});
    for (const behavior of variant.behaviors) behaviors.set(behavior);
    stockUp(this.#cws.supplier, variant);
    const reservationId = await this.#reserve(variant);
    const order = { reservationId, g2aOrderId: nextG2aOrderId(), id: null };

    await this.#arm(victim ?? { step: null });
    const isReached = await this.#follow(order, victim?.step);
    const steps = this.#steps;
    if (!isReached) await this.#arm({ step: null });
    else if (victim.signal === 'SIGKILL') await this.#startAgain();
    else await this.#takeOver(order);
    await this.#untilNothingIsLeftToDo(order);
    return { steps, isReached, quantity: variant.quantity, ...(await this.#evidence(order)) };
  }

  async #startAgain() {
    await this.#process.ended;
    await this.#letTimePass();
    await this.#start();
  }

  async #takeOver(order) {
    const frozen = this.#process;
    const frozenAtMs = Date.now();
    await this.#letTimePass();
    await this.#start();
    // It wakes up when the other one has done all it can: on a slow machine that takes longer than anything may be late.
    let isOver = false;
    while (Date.now() - frozenAtMs < (isOver ? FROZEN_MS : LIMIT_MS)) {
      await this.#makeDue('purchase-order', 'poll-purchase');
      // What the frozen one has locked is waited for.
      isOver ||= await Promise.race([this.#ask(order).catch(() => false), sleep(200, false)]);
      await sleep(50);
    }
    frozen.kill('SIGCONT');
    await sleep(QUIET_MS);
    frozen.kill('SIGKILL');
    await frozen.ended;
  }

  /** @returns true once the step was reached; false when all is done, and has been for a while. */
  async #follow(order, step) {
    let overSinceMs = Infinity;
    const giveUpAtMs = Date.now() + LIMIT_MS;
    while (Date.now() < giveUpAtMs && Date.now() - overSinceMs < QUIET_MS) {
      if (this.#steps.includes(step)) return true;
      // After CWS took an order back it is tried again 20 s later.
      await this.#makeDue('purchase-order');
      // A process that dies answers nobody, and one that is frozen does so later.
      const isOver = await Promise.race([this.#ask(order).catch(() => false), sleep(500, false)]);
      if (isOver) overSinceMs = Math.min(overSinceMs, Date.now());
      await sleep(50);
    }
    return this.#steps.includes(step);
  }

  /** Every job has run, also those that find nothing to do, so that none of them meets the next order. */
  async #untilNothingIsLeftToDo(order) {
    for (const giveUpAtMs = Date.now() + LIMIT_MS; Date.now() < giveUpAtMs; await sleep(50)) {
      await this.#makeDue('purchase-order', 'poll-purchase');
      const isOver = await this.#ask(order);
      const { rows } = await this.#database.query(
        `SELECT count(*)::integer AS jobs FROM pgboss.job WHERE state IN ('created', 'retry', 'active')`,
      );
      if (isOver && rows[0].jobs === 0) return;
    }
  }

  /** What G2A does until it has the key. @returns whether all is over, for good or for bad. */
  async #ask(order) {
    if (order.id === null) {
      const answer = await this.#customer.order(order.reservationId, order.g2aOrderId);
      order.id = answer.ok ? answer.body.order_id : (answer.error.order_id ?? null);
      return false;
    }
    const inventory = await this.#customer.inventory(order.id);
    const { rows } = await this.#database.query('SELECT state FROM orders WHERE id = $1', [order.id]);
    return inventory.ok && FINAL_STATES.includes(rows[0].state);
  }

  async #evidence(order) {
    const answer = order.id === null ? null : await this.#customer.inventory(order.id);
    const { rows: orders } = await this.#database.query(
      'SELECT id, state, attention_reason AS "attentionReason" FROM orders WHERE g2a_order_id = $1',
      [order.g2aOrderId],
    );
    const { rows: purchases } = await this.#database.query(
      `SELECT purchase.state, client_order_id AS "clientOrderId", send_count AS "sendCount"
       FROM purchases purchase JOIN order_items item ON item.id = order_item_id WHERE item.order_id = $1`,
      [order.id],
    );
    const { rows: known } = await this.#database.query('SELECT client_order_id AS id FROM purchases');
    const knownIds = new Set(known.map(({ id }) => id));
    const ids = new Set(purchases.map(({ clientOrderId }) => clientOrderId));
    const ledger = this.#cws.orders.ledger().orders;
    return {
      orders,
      purchases,
      delivered: answer?.ok ? answer.body.flatMap(({ inventory }) => inventory.map(({ value }) => value)) : [],
      bought: ledger.filter(({ clientOrderId }) => ids.has(clientOrderId)),
      strangers: ledger.filter(({ clientOrderId }) => !knownIds.has(clientOrderId)).length,
    };
  }

  /** @param victim without a step: all are told, and none kills. */
  async #arm(victim) {
    this.#steps = [];
    const armed = new Promise((resolve) => {
      const listener = ({ isArmed }) => {
        if (!isArmed) return;
        this.#process.child.off('message', listener);
        resolve();
      };
      this.#process.child.on('message', listener);
    });
    this.#process.child.send({ armed: victim });
    await armed;
  }

  async #reserve({ g2aProductId: productId, quantity }) {
    for (const giveUpAtMs = Date.now() + LIMIT_MS; ;) {
      const answer = await this.#customer.reserve([{ productId, quantity }]);
      if (answer.ok) return answer.body.reservation_id;
      // The first round of synchronization is under way.
      if (Date.now() > giveUpAtMs) throw new Error(JSON.stringify(answer));
      await sleep(50);
    }
  }

  async #start() {
    this.#process = startProcess(MAIN, { env: this.#env, imports: [HOOK], logFile: this.#logFile });
    this.#process.child.on('message', ({ step }) => step !== undefined && this.#steps.push(step));
    const baseUrl = await this.#process.listening;
    if (baseUrl === null) throw new Error(`the program does not start, see ${this.#logFile}`);
    this.#customer = new Customer({ baseUrl, ...CLIENT });
  }

  /** While nobody else works: as if it had been away for longer. */
  async #letTimePass() {
    const earlier = `- interval '${AWAY_SECONDS} seconds'`;
    // Rows that a frozen process has locked stay as they are.
    await this.#database.query(`
      UPDATE orders SET updated_at = updated_at ${earlier}, deadline_at = deadline_at ${earlier}
      WHERE id IN (SELECT id FROM orders FOR UPDATE SKIP LOCKED);
      UPDATE purchases SET created_at = created_at ${earlier}, updated_at = updated_at ${earlier},
        send_claimed_at = send_claimed_at ${earlier}, settles_at = settles_at ${earlier}
      WHERE id IN (SELECT id FROM purchases FOR UPDATE SKIP LOCKED);
      UPDATE pgboss.job SET start_after = start_after ${earlier}, started_on = started_on ${earlier}
      WHERE state IN ('created', 'retry', 'active')`);
  }

  async #makeDue(...jobNames) {
    await this.#database.query(
      `UPDATE pgboss.job SET start_after = now()
       WHERE name = ANY ($1) AND state IN ('created', 'retry') AND start_after > now()`,
      [jobNames],
    );
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { cwsProductId, g2aProductId } from '../../sandbox/catalog.js';
import { type InventoryItem, nextG2aOrderId } from '../../sandbox/customer.js';
import { WatchBalanceService } from '../../src/orders/watch-balance.service.js';
import { type Keyferry, mapGames, OUR_CLIENT, startKeyferry } from '../support/keyferry.js';
import { reservationSteps } from '../support/reservation-steps.js';
import { type Ask, type Table, TABLES } from './status-table.js';

/** An id that nothing has. */
export const UNKNOWN_ID = '3b6d0a52-7f0e-4a38-9d5b-0d8f0f0f1a02';
/** 2^53 + 1, which JSON.parse turns into 2^53. */
export const INEXACT_ID = '9007199254740993';
/** A product that nobody has mapped. */
export const UNMAPPED_PRODUCT = g2aProductId(4242);

const GAMES = 60;
const PIECES = 20;
const PLENTY_CENTS = 10_000_000;
const PATIENCE_MS = 20_000;

/** An order that has its keys. */
export interface BoughtOrder {
  readonly orderId: string;
  readonly reservationId: string;
  readonly g2aOrderId: number;
  readonly keys: readonly InventoryItem[];
}

/** The application, and what rows bring about in it. Each thing that outlives its row is undone after it. */
export class World {
  readonly steps = reservationSteps(() => this.keyferry);
  private lastGame = 0;
  private lastAddress = 0;
  private undoing: (() => unknown)[] = [];
  private texts: Promise<BoughtOrder> | undefined;
  private files: Promise<BoughtOrder> | undefined;

  private constructor(
    readonly keyferry: Keyferry,
    private readonly token: string,
  ) {}

  /** With an account in pounds, a pound being a euro: euros need no rate, so that none can be missing. */
  static async open(): Promise<World> {
    const keyferry = await startKeyferry({
      cws: { products: GAMES },
      g2a: { products: GAMES },
      environment: { CWS_TARGET_CURRENCY: 'GBP', TRUST_PROXY: '1', ADMIN_PASSWORD: 'a-password' },
    });
    await keyferry.sql(`INSERT INTO exchange_rates (currency, rate, margin_percent) VALUES ('GBP', 1, 0)`);
    const games = Array.from({ length: GAMES }, (_, index) => index + 1);
    for (const game of games) {
      keyferry.cws.supplier.setProduct(cwsProductId(game), {
        quantity: PIECES,
        prices: [{ value: 6.32, from: 1, to: null }],
      });
    }
    await mapGames(keyferry, games);
    await keyferry.sync();
    return new World(keyferry, await keyferry.customer.token());
  }

  /** A game that no other row uses, 20 pieces at 6.32, shown at 8.03. */
  game(): number {
    this.lastGame += 1;
    if (this.lastGame > GAMES) throw new Error('more games are needed');
    return this.lastGame;
  }

  /** A reservation that is live. */
  reserve(game = this.game(), quantity = 1): Promise<string> {
    return this.steps.reserve(game, quantity);
  }

  /** One whose time is over, by the database's clock. */
  async expired(game = this.game()): Promise<string> {
    const id = await this.reserve(game);
    await this.steps.expire(id);
    return id;
  }

  async released(): Promise<string> {
    const id = await this.reserve();
    await this.keyferry.customer.release(id);
    return id;
  }

  /** An order whose keys have come. */
  async buy(game = this.game(), quantity = 1): Promise<BoughtOrder> {
    const reservationId = await this.reserve(game, quantity);
    const g2aOrderId = nextG2aOrderId();
    const order = await this.keyferry.customer.order(reservationId, g2aOrderId);
    if (!order.ok) throw new Error(`not accepted: ${JSON.stringify(order)}`);
    const { order_id: orderId } = order.body;
    const keys = await this.keyferry.customer.waitForKeys(orderId, quantity, PATIENCE_MS);
    return { orderId, reservationId, g2aOrderId, keys };
  }

  /** One order with two texts, for all rows that only look at it. */
  bought(): Promise<BoughtOrder> {
    return (this.texts ??= this.buy(this.game(), 2));
  }

  /** The same with a file. */
  boughtFile(): Promise<BoughtOrder> {
    if (this.files === undefined) {
      const game = this.game();
      this.keyferry.cws.traffic.behaviors.set({ name: 'imageCodes', subject: cwsProductId(game), times: 1 });
      this.files = this.buy(game);
    }
    return this.files;
  }

  /** An order whose keys CWS owes us until the row is over. */
  async pending(): Promise<string> {
    const game = this.game();
    this.keyferry.cws.traffic.behaviors.set({ name: 'fulfillsAfterSeconds', subject: cwsProductId(game) });
    const order = await this.keyferry.customer.order(await this.reserve(game));
    if (!order.ok) throw new Error(`not accepted: ${JSON.stringify(order)}`);
    const { order_id: orderId } = order.body;
    const purchase = async (): Promise<{ reference: string }[]> =>
      this.keyferry.sql(
        `SELECT client_order_id AS reference FROM purchases JOIN order_items item ON item.id = order_item_id
         WHERE order_id = $1 AND purchases.state = 'fulfilling'`,
        [orderId],
      );
    await until(async () => (await purchase()).length === 1);
    this.afterwards(async () => {
      for (const { reference } of await purchase()) this.keyferry.cws.orders.finish(reference);
    });
    return orderId;
  }

  /** Selling is paused during the row. */
  async pause(): Promise<void> {
    await this.keyferry.sql('UPDATE control_state SET is_paused = true');
    this.afterwards(() => this.keyferry.sql('UPDATE control_state SET is_paused = false'));
  }

  async disable(game: number): Promise<void> {
    await this.keyferry.sql('UPDATE product_mappings SET is_enabled = false WHERE g2a_product_id = $1', [
      g2aProductId(game),
    ]);
  }

  async unmap(game: number): Promise<void> {
    await this.keyferry.sql('DELETE FROM product_mappings WHERE g2a_product_id = $1', [g2aProductId(game)]);
  }

  async sellOut(game: number): Promise<void> {
    await this.keyferry.sql('UPDATE supplier_products SET quantity = 0 WHERE cws_product_id = $1', [
      cwsProductId(game),
    ]);
  }

  /** The supplier asks a cent more than the sale brings: 8.03 leaves 6.82. */
  async makeDear(game: number): Promise<void> {
    await this.keyferry.sql(
      `UPDATE supplier_products SET price_bands = '[{"fromQuantity":1,"toQuantity":null,"unitPrice":683}]'
       WHERE cws_product_id = $1`,
      [cwsProductId(game)],
    );
  }

  /** CWS was last heard of a day ago, and answers nothing during the row. */
  async forget(game: number): Promise<void> {
    const { sql, cws } = this.keyferry;
    await sql(`UPDATE supplier_products SET requested_at = now() - interval '1 day' WHERE cws_product_id = $1`, [
      cwsProductId(game),
    ]);
    // What the feed has told before it was mapped does not count.
    await sql(`UPDATE product_mapping_suppliers SET mapped_at = now() WHERE cws_product_id = $1`, [cwsProductId(game)]);
    cws.traffic.behaviors.set({ name: 'answers500', route: 'GET /v3/products/:productId' });
    this.afterwards(() => {
      cws.traffic.behaviors.clear({ name: 'answers500' });
    });
  }

  /** The account has nothing during the row. */
  async empty(): Promise<void> {
    await this.accountHas(0);
    this.afterwards(() => this.accountHas(PLENTY_CENTS));
  }

  /** The rate is too old during the row. */
  async loseRate(): Promise<void> {
    await this.moveRate(-25);
    this.afterwards(() => this.moveRate(25));
  }

  /** A Basic header of our client with this secret; default: the right one. */
  readonly basic = (secret: string = OUR_CLIENT.clientSecret): string =>
    `Basic ${Buffer.from(`${OUR_CLIENT.clientId}:${secret}`).toString('base64')}`;

  /** Sends a call from the row's own address, with a valid token unless told otherwise. */
  send({ method, path, body, contentType, authorization = `Bearer ${this.token}` }: Ask): Promise<Response> {
    const type = contentType ?? (body === undefined ? undefined : 'application/json');
    return fetch(new URL(path, this.keyferry.url), {
      method,
      headers: {
        'x-forwarded-for': `198.51.100.${this.lastAddress}`,
        ...(authorization === null ? {} : { authorization }),
        ...(type === undefined ? {} : { 'content-type': type }),
      },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  /** One digest per table. */
  async digests(): Promise<Record<Table, string | null>> {
    const digest = (table: string) =>
      `(SELECT md5(string_agg(line::text, '|' ORDER BY line::text)) FROM ${table} line) AS ${table}`;
    const [row] = await this.keyferry.sql(`SELECT ${TABLES.map(digest).join(', ')}`);
    return row;
  }

  /** Undoes what the row has brought about, and waits for the purchases that it caused: the next row finds a quiet house. */
  async endRow(): Promise<void> {
    for (const undo of this.undoing.splice(0).reverse()) await undo();
    this.lastAddress += 1;
    await until(async () => {
      await this.keyferry.sql(`UPDATE pgboss.job SET start_after = now() WHERE state IN ('created', 'retry')`);
      const underWay = await this.keyferry.sql(
        `SELECT 1 FROM orders WHERE state <> 'completed'
         UNION ALL SELECT 1 FROM pgboss.job WHERE name IN ('purchase-order', 'poll-purchase') AND state < 'completed'`,
      );
      return underWay.length === 0;
    });
  }

  private afterwards(undo: () => unknown): void {
    this.undoing.push(undo);
  }

  private async accountHas(cents: number): Promise<void> {
    this.keyferry.cws.supplier.balanceCents = cents;
    await this.keyferry.sql('UPDATE account_balance SET tried_at = NULL');
    await this.keyferry.app.get(WatchBalanceService).refresh();
  }

  /** What no owner can do: the table is append-only. */
  private async moveRate(hours: number): Promise<void> {
    const { sql } = this.keyferry;
    await sql('ALTER TABLE exchange_rates DISABLE TRIGGER exchange_rates_is_append_only');
    await sql('UPDATE exchange_rates SET as_of = as_of + make_interval(hours => $1)', [hours]);
    await sql('ALTER TABLE exchange_rates ENABLE TRIGGER exchange_rates_is_append_only');
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !(await condition());) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await sleep(20);
  }
}

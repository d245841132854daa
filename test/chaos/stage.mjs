import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endOfLog, runProgram } from '../../bench/support/programs.mjs';
import { cwsAlternativeProductId, cwsProductId, g2aProductId } from '../../dist/sandbox/catalog.js';
import { control } from './control.mjs';
import { openDatabase } from './database.mjs';
import { GAMES, SCARCE_GAMES, SCARCE_PIECES } from './plan.mjs';
import { startProcess } from './processes.mjs';
import { Replica } from './replica.mjs';

const DIST = resolve(import.meta.dirname, '../../dist');
const PIECES = 100_000;
export const OPENING_BALANCE_CENTS = 100_000_000;
export const FEE_PERCENT = 15;
const READY_LIMIT_MS = 60_000;
const MAX_FAILED_STARTS = 2;

/** After so many seconds an order is past its deadline. Room for several attempts, each 20 s after the one before. */
export const DEADLINE_SECONDS = 80;

/** The marketplace's credentials. */
export const CLIENT = { clientId: 'chaos-marketplace', clientSecret: randomBytes(24).toString('hex') };

/** The suppliers of each product, as the program is told. */
export const SUPPLIERS = Object.fromEntries(
  Array.from({ length: GAMES }, (_, index) => index + 1).map((game) => [
    g2aProductId(game),
    [cwsProductId(game), cwsAlternativeProductId(game)],
  ]),
);

/** PostgreSQL, both simulated APIs and two replicas of the program, each a process. */
export class Stage {
  /** Holds all logs. */
  directory = mkdtempSync(join(tmpdir(), 'keyferry-chaos-'));
  database;
  replicas = [];
  cwsUrl;
  /** What each supplier product costs, and how much of it there was before the first sale. */
  market;
  #closers = [];
  #opening = Promise.resolve();
  #closing;

  /** Resolves when every product can be reserved at either replica. */
  open(log) {
    this.#opening = this.#open(log);
    return this.#opening;
  }

  /** Ends every process, the database last. */
  close() {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Deletes the logs and the data. */
  discard() {
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #open(log) {
    log('starting PostgreSQL, the simulated CodesWholesale and G2A, and two replicas');
    // PostgreSQL does not run as root: the user that runs it instead must be able to enter.
    chmodSync(this.directory, 0o755);
    this.database = await openDatabase(this.directory);
    this.#closers.push(this.database.close);
    this.cwsUrl = await this.#startApi('cws', {
      alternatives: GAMES,
      balance: OPENING_BALANCE_CENTS / 100,
      'latency-ms': 20,
    });
    const g2aUrl = await this.#startApi('g2a', {});
    // Their limits are not what is tried here, and dropped tokens need many new ones.
    await control(this.cwsUrl, 'POST', 'traffic', { limits: { products: null, product: null, token: null } });
    await control(g2aUrl, 'POST', 'traffic', { limits: { api: null } });
    this.market = await stockUp(this.cwsUrl);
    await seed(this.directory, this.database.url);
    const env = environment({ databaseUrl: this.database.url, cwsUrl: this.cwsUrl, g2aUrl });
    this.replicas = [1, 2].map((number) => this.#startReplica(number, env));
    await ready(this.replicas);
  }

  async #close() {
    // What is just being started must not be left behind.
    await this.#opening.catch(() => undefined);
    for (const closer of this.#closers.reverse()) await closer();
  }

  async #startApi(name, options) {
    const args = Object.entries({ port: 0, products: GAMES, ...options }).flatMap(([flag, value]) => [
      `--${flag}`,
      String(value),
    ]);
    const logFile = join(this.directory, `${name}.log`);
    const api = startProcess(join(DIST, 'sandbox', `${name}.js`), { args, cwd: this.directory, logFile });
    this.#closers.push(async () => {
      api.kill('SIGKILL');
      await api.ended;
    });
    const url = await api.listening;
    if (url === null) throw new Error(`the simulated ${name} does not start:\n${endOfLog(logFile)}`);
    return url;
  }

  #startReplica(number, env) {
    const logFile = join(this.directory, `replica-${number}.log`);
    const start = () => startProcess(join(DIST, 'main.js'), { env, cwd: this.directory, logFile });
    const replica = new Replica({ name: `replica ${number}`, start, logFile, credentials: CLIENT });
    this.#closers.push(() => replica.close());
    return replica;
  }
}

/** @returns the market, by CWS product id. */
async function stockUp(cwsUrl) {
  const market = {};
  const stock = async (productId, quantity) => {
    const { prices } = await control(cwsUrl, 'POST', `products/${productId}`, { quantity });
    const bands = prices.map(({ value, from, to }) => ({ cents: Math.round(value * 100), from, to }));
    market[productId] = { openingStock: quantity, bands };
  };
  for (let game = 1; game <= GAMES; game += 1) {
    await stock(cwsProductId(game), game > GAMES - SCARCE_GAMES ? SCARCE_PIECES : PIECES);
    await stock(cwsAlternativeProductId(game), PIECES);
  }
  return market;
}

async function seed(directory, databaseUrl) {
  const file = join(directory, 'mappings.json');
  const mappings = Object.entries(SUPPLIERS).map(([id, cwsProductIds]) => ({
    g2aProductId: Number(id),
    cwsProductIds,
  }));
  writeFileSync(file, JSON.stringify(mappings));
  const env = { DATABASE_URL: databaseUrl };
  await runProgram(join(DIST, 'cli.js'), { args: ['migrate'], env, cwd: directory });
  await runProgram(join(DIST, 'cli.js'), { args: ['seed', file], env, cwd: directory });
}

/** The program's environment, with the shortest times that are safe here. */
export function environment({ databaseUrl, cwsUrl, g2aUrl }) {
  return {
    PORT: '0',
    HOST: '127.0.0.1',
    DATABASE_URL: databaseUrl,
    OUR_API_CLIENT_ID: CLIENT.clientId,
    OUR_API_CLIENT_SECRET: CLIENT.clientSecret,
    CWS_API_BASE_URL: cwsUrl,
    CWS_CLIENT_ID: 'sandbox-client',
    CWS_CLIENT_SECRET: 'sandbox-secret',
    CWS_CLIENT_SIGNATURE: 'sandbox-signature',
    CWS_PRODUCTS_RATE: '100000/60s',
    CWS_PRODUCT_RATE: '100000/60s',
    G2A_API_BASE_URL: g2aUrl,
    G2A_API_KEY: 'sandbox-client',
    G2A_API_SECRET: 'sandbox-secret',
    G2A_RATE: '100000/60s',
    KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    DEFAULT_FIXED_PROFIT: '0.50',
    DEFAULT_G2A_FEE_PERCENTAGE: String(FEE_PERCENT / 100),
    SYNC_INTERVAL_SECONDS: '2',
    ORDER_POLL_TIMEOUT_SECONDS: String(DEADLINE_SECONDS),
    // The longest that a purchase given up on still takes to be executed here is 11 s after it was sent: 1 s after our own
    // time-out, and 11 s after a kill -9, whose purchases are not looked at before 20 s have passed.
    PURCHASE_RESET_SETTLE_SECONDS: '4',
    PURCHASE_SETTLE_SECONDS: '15',
  };
}

/** Waits until every product can be reserved at either replica. */
async function ready(replicas) {
  const deadline = Date.now() + READY_LIMIT_MS;
  for (const replica of replicas) {
    for (;;) {
      const wanted = Object.keys(SUPPLIERS).map((id) => ({ productId: Number(id), quantity: 1 }));
      const answer = await replica.customer?.reserve(wanted).catch((error) => ({ ok: false, error }));
      if (answer?.ok) {
        await replica.customer.release(answer.body.reservation_id);
        break;
      }
      if (Date.now() > deadline || replica.ownExitCodes.length > MAX_FAILED_STARTS)
        throw new Error(`${replica.name} is not ready:\n${endOfLog(replica.logFile)}`);
      await sleep(200);
    }
  }
}

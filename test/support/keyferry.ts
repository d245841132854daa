import { randomBytes } from 'node:crypto';
import { ConsoleLogger } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { type CwsSandbox, type CwsSandboxOptions, startCwsSandbox } from '../../sandbox/cws.js';
import { Customer } from '../../sandbox/customer.js';
import { type G2aSandbox, type G2aSandboxOptions, startG2aSandbox } from '../../sandbox/g2a.js';
import { cwsProductId, g2aProductId } from '../../sandbox/catalog.js';
import { AppModule } from '../../src/app.module.js';
import { parseEnvironment } from '../../src/config/environment.js';
import { configureHttp, fastifyOptions } from '../../src/dropshipping/http-setup.js';
import { SyncClockService } from '../../src/sync/sync-clock.service.js';
import { validateAnswers } from './answer-validation.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

/** Credentials that G2A would use to call us. */
export const OUR_CLIENT = { clientId: 'g2a-test', clientSecret: 'a-secret:with-a-colon' };

/** Environment of a Keyferry that talks to these sandbox servers; never synchronizes by itself unless told to. */
export function environment(cwsUrl: string, g2aUrl: string): Record<string, string> {
  return {
    PORT: '0',
    OUR_API_CLIENT_ID: OUR_CLIENT.clientId,
    OUR_API_CLIENT_SECRET: OUR_CLIENT.clientSecret,
    CWS_CLIENT_ID: 'sandbox-client',
    CWS_CLIENT_SECRET: 'sandbox-secret',
    CWS_CLIENT_SIGNATURE: 'sandbox-signature',
    CWS_API_BASE_URL: cwsUrl,
    G2A_API_KEY: 'sandbox-client',
    G2A_API_SECRET: 'sandbox-secret',
    G2A_API_BASE_URL: g2aUrl,
    DEFAULT_FIXED_PROFIT: '0.50',
    DEFAULT_G2A_FEE_PERCENTAGE: '0.15',
    KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SYNC_INTERVAL_SECONDS: '3600',
    // Stock changes when a test says so: a reservation asks CWS only in the tests of that.
    RESERVATION_STOCK_MAX_AGE_SECONDS: '3600',
    G2A_RATE: '100000/60s',
  };
}

/** The real application in this process, with its own database and its own sandbox servers. */
export interface Keyferry {
  readonly app: NestFastifyApplication;
  readonly url: string;
  readonly cws: CwsSandbox;
  readonly g2a: G2aSandbox;
  readonly database: TestDatabase;
  readonly sql: DataSource['query'];
  readonly customer: Customer;
  /** One synchronization round, awaited. */
  sync(): Promise<void>;
  /** @throws when the application gave an answer that docs/openapi.json forbids. */
  checkAnswers(): void;
  /** @throws as checkAnswers. */
  stop(): Promise<void>;
}

export interface KeyferryOptions {
  readonly cws?: CwsSandboxOptions;
  readonly g2a?: G2aSandboxOptions;
  readonly environment?: Record<string, string>;
  /** An earlier one whose `app` was closed: its database and its sandbox servers go on. Only the last one is stopped. */
  readonly restarts?: Keyferry;
}

/** Starts everything. The first synchronization round has ended when this returns (with no mapping it does nothing). */
export async function startKeyferry(options: KeyferryOptions = {}): Promise<Keyferry> {
  const { cws, g2a, database } = options.restarts ?? {
    cws: await startCwsSandbox({ products: 50, ...options.cws }),
    g2a: await startG2aSandbox({ products: 50, limits: { api: null }, applyDelayMs: 0, ...options.g2a }),
    database: await createTestDatabase(),
  };
  options.restarts?.checkAnswers();
  const config = parseEnvironment({ ...environment(cws.url, g2a.url), ...options.environment });

  const testing = await Test.createTestingModule({ imports: [AppModule.forRoot(config, database.url)] })
    // KEYFERRY_TEST_LOG=1 shows what the application says.
    .setLogger(new ConsoleLogger({ logLevels: process.env.KEYFERRY_TEST_LOG === undefined ? ['fatal'] : undefined }))
    .compile();
  const app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(fastifyOptions(config)));
  configureHttp(app);
  const answers = validateAnswers(app);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const clock = app.get(SyncClockService);
  const dataSource = app.get(DataSource);
  // The tick of the start may be under way: it counts as the first round.
  await clock.tick();
  return {
    app,
    url,
    cws,
    g2a,
    database,
    sql: dataSource.query.bind(dataSource),
    customer: new Customer({ baseUrl: url, ...OUR_CLIENT }),
    sync: () => clock.tick(),
    checkAnswers: () => {
      answers.throwIfAny();
    },
    stop: async () => {
      await app.close();
      await Promise.all([cws.close(), g2a.close()]);
      await database.drop();
      answers.throwIfAny();
    },
  };
}

/** Maps the sandbox's games with these numbers by plain SQL, as an owner would. */
export async function mapGames(
  keyferry: { sql: (text: string, values?: unknown[]) => Promise<unknown> },
  numbers: readonly number[],
): Promise<void> {
  await keyferry.sql(
    `WITH mapping AS (
       INSERT INTO product_mappings (g2a_product_id) SELECT unnest($1::bigint[])
     )
     INSERT INTO product_mapping_suppliers (g2a_product_id, cws_product_id)
     SELECT * FROM unnest($1::bigint[], $2::uuid[])`,
    [numbers.map(g2aProductId), numbers.map(cwsProductId)],
  );
}

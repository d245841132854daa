import type { ClientBase } from 'pg';
import type { DataSourceOptions } from 'typeorm';
import { exactTypes } from './int8.js';
import { PreparingClient } from './prepared-statements.js';

/**
 * Connections of one process' TypeORM pool; several processes and pg-boss stay below PostgreSQL's default of 100. Nothing holds one while it
 * waits for anything but PostgreSQL. With 20, for two cores, a reservation costs PostgreSQL a tenth more: each backend has caches of its own.
 */
export const POOL_SIZE = 10;

/** A statement of the service takes far less. One that is not answered within it is on a connection that died without a word. */
const SILENCE_LIMIT_MS = 30_000;

/**
 * A transaction waits for nobody but PostgreSQL. One that does nothing for 5 s belongs to a process that is frozen or cut off:
 * PostgreSQL ends it, so that others do not wait for its locks longer than G2A waits for them (9 s), and what it did is undone.
 * Once per connection: with each BEGIN it cost a twentieth of a reservation.
 */
const END_IDLE_TRANSACTIONS = 'SET idle_in_transaction_session_timeout = 5000';

/** What synchronization counts takes some 0.2 s at most: it must not have all cores while customers wait. */
const ONE_CORE_PER_STATEMENT = 'SET max_parallel_workers_per_gather = 0';

/**
 * Connections that are kept though nobody needs them. A new one costs PostgreSQL a process, a login and five plans of every statement: a
 * crowd after a quiet minute must not wait for them. The others end after 10 s, for replicas share PostgreSQL's limit.
 */
const KEPT_CONNECTIONS = 8;
/** First sign of life on an idle connection; firewalls forget quiet ones after some minutes. */
const KEEP_ALIVE_MS = 30_000;

/** TypeORM options of the service: a database that goes silent is an error of who asked, and its connection is given up. */
export function serviceDataSourceOptions(url: string): DataSourceOptions & { type: 'postgres' } {
  const options = dataSourceOptions(url, 'keyferry');
  const connections = {
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    connectionTimeoutMillis: SILENCE_LIMIT_MS,
    query_timeout: SILENCE_LIMIT_MS,
    min: KEPT_CONNECTIONS,
  };
  return { ...options, extra: { ...options.extra, ...connections } };
}

/**
 * TypeORM options shared by the application, the migrations and the tests.
 * @param url PostgreSQL connection URL.
 * @param applicationName shown in pg_stat_activity.
 */
export function dataSourceOptions(url: string, applicationName: string): DataSourceOptions & { type: 'postgres' } {
  return {
    type: 'postgres',
    url,
    applicationName,
    synchronize: false,
    migrationsRun: false,
    migrationsTableName: 'schema_migrations',
    poolSize: POOL_SIZE,
    // A failed statement is an error of its caller; TypeORM's log line would repeat it with all its parameters.
    logging: false,
    // gen_random_uuid() is part of PostgreSQL since 13; TypeORM knows it by its old extension's name.
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    // Statements that do not wait for each other travel together: see one-connection.ts.
    extra: {
      types: exactTypes,
      Client: PreparingClient,
      pipeline: true,
      // Not a startup parameter: poolers refuse those that they do not know.
      onConnect: (client: ClientBase) => client.query(`${END_IDLE_TRANSACTIONS}; ${ONE_CORE_PER_STATEMENT}`),
    },
  };
}

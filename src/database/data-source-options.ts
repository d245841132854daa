import type { DataSourceOptions } from 'typeorm';
import { exactTypes } from './int8.js';
import { PreparingClient } from './prepared-statements.js';

/** Connections of one process' TypeORM pool. Two processes and pg-boss stay well below PostgreSQL's default of 100. */
export const POOL_SIZE = 20;

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
    extra: { types: exactTypes, Client: PreparingClient, pipeline: true },
  };
}

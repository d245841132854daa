import { Command } from 'commander';
import { loadDatabaseConfig } from '../config/config.module.js';
import { withDatabase } from './command-database.js';
import { printJson, printLine } from './output.js';

/** `migrate`: brings the database's schema up to date. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('bring the database schema up to date; the service does so by itself when it starts')
    .option('--json', 'print the result as JSON')
    .action(migrate);
}

async function migrate({ json: isJson = false }: { json?: boolean }): Promise<void> {
  await withDatabase(await loadDatabaseConfig(), ({ appliedMigrations }) => {
    if (isJson) printJson({ applied: appliedMigrations });
    else if (appliedMigrations.length === 0) printLine('up to date');
    else for (const name of appliedMigrations) printLine(`applied ${name}`);
    return Promise.resolve();
  });
}

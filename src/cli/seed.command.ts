import { Command } from 'commander';
import { type AppliedMappings, applyMappings, type MappingChange } from '../catalog/apply-mappings.js';
import { loadDatabaseConfig } from '../config/config.module.js';
import { withDatabase } from './command-database.js';
import { CommandProgress } from './command-progress.js';
import { printJson, printLine } from './output.js';
import { readMappingFile } from './read-mapping-file.js';

interface SeedOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Changes that are printed one by one; --json has them all. */
const SHOWN_CHANGES = 50;

/** `seed <file>`: product mappings from a file into the database. */
export function seedCommand(): Command {
  return new Command('seed')
    .description('create and update product mappings from a JSON or CSV file (seeds/README.md explains it)')
    .argument('<file>', 'mappings; those that the file does not name are left alone')
    .option('--dry-run', 'show what would change, and change no mapping')
    .option('--json', 'print the result as JSON')
    .action(seed);
}

async function seed(file: string, { dryRun: isDryRun = false, json: isJson = false }: SeedOptions): Promise<void> {
  const config = await loadDatabaseConfig();
  // Read before the database is opened: a bad file is told at once.
  const mappings = await readMappingFile(file);
  await withDatabase(config, async ({ dataSource }) => {
    const progress = new CommandProgress(mappings.length, { verb: 'importing', noun: 'mappings' });
    const onProgress = (done: number) => {
      progress.update(done);
    };
    const applied = await applyMappings(dataSource, mappings, { actor: 'cli:seed', isDryRun, onProgress }).finally(
      () => {
        progress.stop();
      },
    );
    if (isJson) printJson({ isDryRun, ...applied });
    else printApplied(applied, isDryRun);
  });
}

function printApplied({ created, updated, unchanged, changes }: AppliedMappings, isDryRun: boolean): void {
  for (const change of changes.slice(0, SHOWN_CHANGES)) printLine(describeChange(change));
  if (changes.length > SHOWN_CHANGES) printLine(`  and ${changes.length - SHOWN_CHANGES} more (--json lists them all)`);
  printLine(
    `${created} created, ${updated} updated, ${unchanged} unchanged${isDryRun ? ' (dry run: not applied)' : ''}`,
  );
}

function describeChange({ g2aProductId, change, fields }: MappingChange): string {
  const texts = Object.entries(fields).map(([field, { before, after }]) => {
    const text = after === null || after === '' ? 'default' : String(after);
    return change === 'created' ? `${field} ${text}` : `${field} ${before ?? 'default'} -> ${text}`;
  });
  return `${change === 'created' ? '+' : '~'} ${g2aProductId}  ${texts.join(', ')}`;
}

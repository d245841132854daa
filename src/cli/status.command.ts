import { Command } from 'commander';
import { readStatus } from '../status/status.js';
import { loadConfig } from '../config/config.module.js';
import { withDatabase } from './command-database.js';
import { printJson, printLine } from './output.js';
import { statusLines } from './status-texts.js';

/** `status`: whether we are selling, what that rests on, and how much there is of everything. */
export function statusCommand(): Command {
  return new Command('status')
    .description(
      'show whether the service sells or why not, who synchronizes, how old the news from CWS is, and counts',
    )
    .option('--json', 'print the status as JSON, the same as /admin/status')
    .action(status);
}

async function status({ json: isJson = false }: { json?: boolean }): Promise<void> {
  const config = await loadConfig();
  await withDatabase(config, async ({ dataSource }) => {
    const found = await readStatus(dataSource.manager, config);
    if (isJson) printJson(found);
    else for (const line of statusLines(found)) printLine(line);
  });
}

import { Command, InvalidArgumentError, Option } from 'commander';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { loadConfig } from '../config/config.module.js';
import { ExportSalesService } from '../orders/export-sales.service.js';
import { csvText, jsonText, parseDay, windowOfDays } from '../orders/sales-export-texts.js';
import { withDatabase } from './command-database.js';
import { CommandError } from './failure.js';

interface ExportOptions {
  readonly from: Date;
  readonly to: Date;
  readonly json?: boolean;
}

/** `orders export`: for bookkeeping. */
export function ordersExportCommand(): Command {
  return new Command('export')
    .description(
      "print purchases against sales, one row per purchase, for the orders paid for on these days (UTC): what the sale brings after G2A's fee, what the purchase cost, CWS's order id",
    )
    .requiredOption('--from <date>', 'first day, such as 2026-11-01', readDay)
    .requiredOption('--to <date>', 'last day, included', readDay)
    .addOption(new Option('--csv', 'as CSV with a header (the default)').conflicts('json'))
    .option('--json', 'as a JSON array')
    .action(exportSales);
}

async function exportSales({ from, to, json = false }: ExportOptions): Promise<void> {
  if (to < from) throw new CommandError('--to is before --from.');
  const config = await loadConfig();
  await withDatabase(config, async ({ dataSource }) => {
    const rows = new ExportSalesService(dataSource, config).rows(windowOfDays(from, to));
    try {
      await pipeline(Readable.from(json ? jsonText(rows) : csvText(rows)), process.stdout, { end: false });
    } catch (error) {
      // Whoever reads it has seen enough, `head` for example.
      if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
    }
  });
}

/** Midnight of a day, UTC. */
function readDay(value: string): Date {
  const day = parseDay(value);
  if (day === null) throw new InvalidArgumentError('expected a day such as 2026-11-01');
  return day;
}

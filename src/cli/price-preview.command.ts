import { Command, Option } from 'commander';
import { loadConfig } from '../config/config.module.js';
import { type Cents, cents, formatCents } from '../money/cents.js';
import { previewPrices, type PreviewedPrice } from '../sync/preview-prices.js';
import { describeReason } from '../sync/price-reasons.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { withUnchangedDatabase } from './command-database.js';
import { CommandError } from './failure.js';
import { CommandProgress } from './command-progress.js';
import { printJson, printLine } from './output.js';
import { readMappingFile } from './read-mapping-file.js';
import { csvTable, textTable } from './text-table.js';

interface PreviewOptions {
  readonly file: string;
  readonly csv?: boolean;
  readonly json?: boolean;
}

/** What is told of each product, in this order. Amounts in EUR. */
const COLUMNS = ['g2aProductId', 'cost', 'price', 'businessPrice', 'fees', 'profit', 'stock', 'reason'] as const;
const LAST_AMOUNT = 6;

/** `price preview`: what a mapping file would lead to. */
export function pricePreviewCommand(): Command {
  return new Command('preview')
    .description('price the mappings of a file as if they were stored; stores nothing and changes no offer')
    .requiredOption('--file <file>', 'mappings as JSON or CSV, as for seed')
    .option('--csv', 'print CSV')
    .addOption(new Option('--json', 'print JSON').conflicts('csv'))
    .action(preview);
}

async function preview({ file, csv: isCsv = false, json: isJson = false }: PreviewOptions): Promise<void> {
  const config = await loadConfig();
  // Read before the database is opened: a bad file is told at once.
  const mappings = await readMappingFile(file);
  await withUnchangedDatabase(config, async ({ dataSource }) => {
    const progress = new CommandProgress(mappings.length, { verb: 'asking', noun: 'products' });
    try {
      const prices = await previewPrices(dataSource.manager, config, mappings, (done, total) => {
        progress.update(done, total);
      });
      const rows = prices.map(describe);
      progress.stop();
      if (isJson) printJson(rows);
      else if (isCsv) printLine(csvTable([[...COLUMNS, 'unknownSuppliers'], ...rows.map(csvRow)]));
      else printTable(rows);
    } catch (error) {
      if (error instanceof UpstreamError) throw new CommandError(`CodesWholesale cannot be asked: ${error.message}`);
      throw error;
    } finally {
      progress.stop();
    }
  });
}

/** One product in texts; null where there is no number. */
function describe({ g2aProductId, desired, unknownSuppliers }: PreviewedPrice) {
  const { costCents: cost, priceCents: price, businessPriceCents, incomeCents: income } = desired;
  return {
    g2aProductId,
    cost: money(cost),
    price: money(price),
    businessPrice: money(businessPriceCents),
    fees: price === null || income === null ? null : money(cents(price - income)),
    profit: cost === null || income === null ? null : money(cents(income - cost)),
    stock: desired.size,
    reason: desired.reason,
    cwsProductId: desired.cwsProductId,
    unknownSuppliers,
  };
}
type Row = ReturnType<typeof describe>;

function csvRow(row: Row): string[] {
  return [...COLUMNS.map((column) => String(row[column] ?? '')), row.unknownSuppliers.join(' ')];
}

function printTable(rows: readonly Row[]): void {
  const lines = rows.map((row) => COLUMNS.map((column) => String(row[column] ?? '-')));
  const header = ['product', 'cost', 'price', 'for companies', 'fees', 'profit', 'stock', 'result'];
  const amounts = Array.from({ length: LAST_AMOUNT }, (_, index) => index + 1);
  textTable([header, ...lines], amounts).forEach(printLine);
  printLine('');
  for (const { g2aProductId, unknownSuppliers } of rows) {
    if (unknownSuppliers.length > 0)
      printLine(`${g2aProductId}: CodesWholesale does not list ${unknownSuppliers.join(', ')}`);
  }
  const reasons = new Set(rows.map((row) => row.reason));
  for (const reason of reasons) {
    const count = rows.filter((row) => row.reason === reason).length;
    printLine(`${count} ${reason}: ${describeReason(reason)}`);
  }
}

function money(amount: Cents | null): string | null {
  return amount === null ? null : formatCents(amount);
}

import { Command, InvalidArgumentError } from 'commander';
import { type PublishedPrice, priceHistory } from '../catalog/price-history.queries.js';
import { loadDatabaseConfig } from '../config/config.module.js';
import { cents } from '../money/cents.js';
import { publishedPriceView } from '../sync/price-view.js';
import { withUnchangedDatabase } from './command-database.js';
import { parseG2aProductId } from './g2a-product-id.js';
import { printJson, printLine } from './output.js';
import { amount } from './price-explanation.js';
import { textTable } from './text-table.js';

interface HistoryOptions {
  readonly limit: number;
  readonly json?: boolean;
}

const HEADER = ['time', 'price', 'for companies', 'cost', 'after fees', 'margin', 'supplier'];
const AMOUNTS = [1, 2, 3, 4, 5];

/** `price history`: what was published, and what it left. */
export function priceHistoryCommand(): Command {
  return new Command('history')
    .description(
      'show the published prices of a product, newest first, with the cost behind each and its margin after fees',
    )
    .argument('<g2aProductId>', 'the G2A product')
    .option('--limit <count>', 'how many', parseLimit, 50)
    .option('--json', 'print them as JSON')
    .action(history);
}

async function history(argument: string, { limit, json: isJson = false }: HistoryOptions): Promise<void> {
  const g2aProductId = parseG2aProductId(argument);
  await withUnchangedDatabase(await loadDatabaseConfig(), async ({ dataSource }) => {
    const prices = await priceHistory(dataSource.manager, { g2aProductId, limit });
    if (isJson) printJson({ g2aProductId, prices: prices.map(publishedPriceView) });
    else if (prices.length === 0) printLine(`No price of product ${g2aProductId} was published yet.`);
    else textTable([HEADER, ...prices.map(columns)], AMOUNTS).forEach(printLine);
  });
}

function columns({ at, retailPrice, businessPrice, cost, income, cwsProductId }: PublishedPrice): string[] {
  const margin = cost === null || income === null ? null : cents(income - cost);
  return [at.toISOString(), ...[retailPrice, businessPrice, cost, income, margin].map(amount), cwsProductId ?? '-'];
}

function parseLimit(text: string): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit < 1) throw new InvalidArgumentError('expected a whole number from 1 to 999999');
  return limit;
}

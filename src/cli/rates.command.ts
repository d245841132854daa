import { Big } from 'big.js';
import { Command } from 'commander';
import { latestRates, ratesOf, type StoredRate } from '../catalog/exchange-rates.queries.js';
import { MUCH_PERCENT, setExchangeRate } from '../catalog/set-exchange-rate.js';
import { loadDatabaseConfig } from '../config/config.module.js';
import { withDatabase } from './command-database.js';
import { CommandError } from './failure.js';
import { operator } from './operator.js';
import { printJson, printLine, printNotice } from './output.js';

interface SetOptions {
  readonly margin: string;
  readonly asOf?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `rates`: what the CWS account's currency costs in euros. */
export function ratesCommand(): Command {
  return new Command('rates')
    .description('exchange rates, for a CodesWholesale account that is not in euros')
    .addCommand(
      new Command('set')
        .description('enter what one unit of a currency costs in euros; older rates are kept')
        .argument('<currency>', 'ISO 4217, such as GBP')
        .argument('<rate>', 'euros for one unit, such as 1.17 for GBP')
        .requiredOption('--margin <percent>', 'added to the rate for safety, 0 to 100, such as 2 for 2 %')
        .option('--as-of <time>', 'when it was quoted: 2026-01-31 or 2026-01-31T16:00Z (default: now)')
        .option('--force', `enter it although it differs by more than ${MUCH_PERCENT} % from the last one`)
        .option('--json', 'print the result as JSON')
        .action(set),
    )
    .addCommand(
      new Command('list')
        .description('show the rate that counts of each currency, or all rates of one')
        .argument('[currency]', 'show its rates, the one that counts first')
        .option('--json', 'print the rates as JSON')
        .action(list),
    );
}

async function set(currency: string, rate: string, options: SetOptions): Promise<void> {
  const asOf = options.asOf === undefined ? null : parseTime(options.asOf);
  await withDatabase(await loadDatabaseConfig(), async ({ dataSource }) => {
    const outcome = await setExchangeRate(dataSource.manager, operator(), {
      currency,
      rate,
      marginPercent: options.margin,
      asOf,
      isForced: options.force === true,
    });
    if (!outcome.isStored) {
      if (outcome.reason === 'not_yet_quoted')
        throw new CommandError(`--as-of ${options.asOf ?? ''} is in the future.`);
      throw new CommandError(
        `Not entered: ${rate} differs by more than ${MUCH_PERCENT} % from ${outcome.before.rate}, the rate as of ` +
          `${outcome.before.asOf.toISOString()}. The rate is euros for one unit. If it is right, repeat with --force.`,
      );
    }
    const { stored, current } = outcome;
    if (options.json === true) printJson(view(stored));
    else printRates([stored]);
    if (current !== stored) printNotice(`the rate as of ${current.asOf.toISOString()} still counts: it is newer`);
  });
}

async function list(currency: string | undefined, { json: isJson = false }: { json?: boolean }): Promise<void> {
  await withDatabase(await loadDatabaseConfig(), async ({ dataSource: { manager } }) => {
    const rates = await (currency === undefined ? latestRates(manager) : ratesOf(manager, currency.toUpperCase()));
    if (isJson) printJson(rates.map(view));
    else if (rates.length === 0) printLine('none');
    else printRates(rates);
  });
}

/** @throws CommandError for anything but a day, or a time with its zone. */
function parseTime(text: string): Date {
  const [, day] = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.exec(text) ?? [];
  const time = new Date(text);
  // JavaScript takes February 31 for March 3.
  if (day === undefined || isNaN(time.getTime()) || !new Date(day).toISOString().startsWith(day)) {
    throw new CommandError(`--as-of ${text} is neither a day (2026-01-31, UTC) nor a time (2026-01-31T16:00Z).`);
  }
  return time;
}

function withMargin({ rate, marginPercent }: StoredRate): string {
  return new Big(rate).times(new Big(marginPercent).plus(100)).times('0.01').toFixed();
}

function view(stored: StoredRate): object {
  const { currency, rate, marginPercent, asOf, createdAt, actor } = stored;
  return { currency, rate, marginPercent, rateWithMargin: withMargin(stored), asOf, createdAt, actor };
}

function printRates(rates: readonly StoredRate[]): void {
  const rows = rates.map((stored) => [
    `1 ${stored.currency} = ${stored.rate} EUR`,
    `+ ${stored.marginPercent} % = ${withMargin(stored)} EUR`,
    `as of ${stored.asOf.toISOString()}`,
    `by ${stored.actor}`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows)
    printLine(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

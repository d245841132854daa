import { Logger } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Command } from 'commander';
import { AlertsService } from '../alerts/alerts.service.js';
import { loadConfig } from '../config/config.module.js';
import { formatCents } from '../money/cents.js';
import { formatPriceBands, type PriceBand } from '../money/price-band.js';
import { UnconfirmedPricesService } from '../sync/unconfirmed-prices.service.js';
import { withDatabase } from './command-database.js';
import { CommandError } from './failure.js';
import { operator } from './operator.js';
import { printJson, printLine } from './output.js';

/** `price accept`: believes a supplier's price that is held back. */
export function priceAcceptCommand(): Command {
  return new Command('accept')
    .description('take a price of the supplier for true that is held back because it changed too much')
    .argument('<cwsProductId>', 'the CWS product, as in the alert supplier_price_unconfirmed')
    .option('--json', 'print the former and the accepted prices as JSON')
    .action(accept);
}

async function accept(cwsProductId: string, { json: isJson = false }: { json?: boolean }): Promise<void> {
  if (!isUUID(cwsProductId)) throw new CommandError(`${cwsProductId} is not a CWS product id.`);
  // What the services log is for the service's log, not for the answer of a command.
  Logger.overrideLogger(false);
  await withDatabase(await loadConfig(), async ({ dataSource }) => {
    const prices = new UnconfirmedPricesService(dataSource, new AlertsService(dataSource));
    const outcome = await prices.accept(operator(), cwsProductId);
    if (outcome === 'unknown') throw new CommandError(`CodesWholesale was never heard about ${cwsProductId}.`);
    if (outcome === 'confirmed') throw new CommandError(`No price of ${cwsProductId} is held back.`);
    const { from, to } = outcome;
    if (isJson) printJson({ cwsProductId, from: decimal(from), to: decimal(to) });
    else printLine(`accepted: ${formatPriceBands(from)} -> ${formatPriceBands(to)}; offers follow with the next round`);
  });
}

function decimal(bands: readonly PriceBand[]) {
  return bands.map(({ unitPrice, ...band }) => ({ ...band, unitPrice: formatCents(unitPrice) }));
}

import { Logger } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Command, InvalidArgumentError } from 'commander';
import { AlertsService } from '../alerts/alerts.service.js';
import { loadConfig } from '../config/config.module.js';
import { type Cents, formatCents, InvalidAmountError, parseCents } from '../money/cents.js';
import { formatPriceBands, type PriceBand } from '../money/price-band.js';
import { type PriceNotAccepted, UnconfirmedPricesService } from '../sync/unconfirmed-prices.service.js';
import { withDatabase } from './command-database.js';
import { CommandError } from './failure.js';
import { operator } from './operator.js';
import { printJson, printLine } from './output.js';

interface AcceptOptions {
  /** Null: that there is no price any more. */
  readonly price: Cents | null;
  readonly json?: boolean;
}

/** `price accept`: believes a supplier's price that is held back. */
export function priceAcceptCommand(): Command {
  return new Command('accept')
    .description('take a price of the supplier for true that is held back because it changed too much')
    .argument('<cwsProductId>', 'the CWS product, as in the alert supplier_price_unconfirmed')
    .requiredOption(
      '--price <price>',
      'the price of one key to accept, such as 18.00, as in the alert; none when there is none any more',
      parsePrice,
    )
    .option('--json', 'print the former and the accepted prices as JSON')
    .action(accept);
}

async function accept(cwsProductId: string, { price, json: isJson = false }: AcceptOptions): Promise<void> {
  if (!isUUID(cwsProductId)) throw new CommandError(`${cwsProductId} is not a CWS product id.`);
  // What the services log is for the service's log, not for the answer of a command.
  Logger.overrideLogger(false);
  await withDatabase(await loadConfig(), async ({ dataSource }) => {
    const prices = new UnconfirmedPricesService(dataSource, new AlertsService(dataSource));
    const outcome = await prices.accept(operator(), { cwsProductId, price });
    if ('refusal' in outcome) throw new CommandError(describeRefusal(outcome, cwsProductId));
    const { from, to } = outcome;
    if (isJson) printJson({ cwsProductId: cwsProductId.toLowerCase(), from: decimal(from), to: decimal(to) });
    else printLine(`accepted: ${formatPriceBands(from)} -> ${formatPriceBands(to)}; offers follow with the next round`);
  });
}

function describeRefusal(refused: PriceNotAccepted, cwsProductId: string): string {
  switch (refused.refusal) {
    case 'unknown':
      return `CodesWholesale was never heard about ${cwsProductId}.`;
    case 'confirmed':
      return `No price of ${cwsProductId} is held back.`;
    case 'changed':
      return `Not accepted: the price that is held back is by now ${formatPriceBands(refused.unconfirmed)}.`;
  }
}

function parsePrice(text: string): Cents | null {
  if (text === 'none') return null;
  try {
    return parseCents(text, 'exact');
  } catch (error) {
    if (error instanceof InvalidAmountError) throw new InvalidArgumentError('expected a price such as 18.00, or none');
    throw error;
  }
}

function decimal(bands: readonly PriceBand[]) {
  return bands.map(({ unitPrice, ...band }) => ({ ...band, unitPrice: formatCents(unitPrice) }));
}

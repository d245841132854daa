import { Command } from 'commander';
import { AlertsService } from '../alerts/alerts.service.js';
import { loadConfig } from '../config/config.module.js';
import { OfferDeactivationsService } from '../sync/offer-deactivations.service.js';
import { withDatabase } from './command-database.js';
import { CommandError } from './failure.js';
import { parseG2aProductId } from './g2a-product-id.js';
import { operator } from './operator.js';
import { printLine } from './output.js';
import { silenceServices } from './silence-services.js';

/** `offers`: looks after our offers on G2A. */
export function offersCommand(): Command {
  return new Command('offers')
    .description('look after our offers on G2A')
    .addCommand(
      new Command('clear')
        .description('publish an offer again that G2A has deactivated, once its cause is gone')
        .argument('<g2aProductId>', 'the G2A product that it offers')
        .action(clear),
    );
}

async function clear(argument: string): Promise<void> {
  const g2aProductId = parseG2aProductId(argument);
  silenceServices();
  await withDatabase(await loadConfig(), async ({ dataSource }) => {
    const deactivations = new OfferDeactivationsService(dataSource, new AlertsService(dataSource));
    const wasDeactivated = await deactivations.clear(operator(), g2aProductId);
    if (wasDeactivated === null) throw new CommandError(`No offer of product ${g2aProductId} is known.`);
    printLine(wasDeactivated ? 'cleared: it is published again with the next round' : 'it was not deactivated by G2A');
  });
}

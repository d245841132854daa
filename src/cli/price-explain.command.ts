import { Command } from 'commander';
import { loadConfig } from '../config/config.module.js';
import { ControlService } from '../control/control.service.js';
import { ExplainPriceService } from '../sync/explain-price.service.js';
import { priceExplanationView } from '../sync/price-view.js';
import { withUnchangedDatabase } from './command-database.js';
import { CommandError } from './failure.js';
import { parseG2aProductId } from './g2a-product-id.js';
import { printJson, printLine } from './output.js';
import { describePriceExplanation } from './price-explanation.js';

/** `price explain`: how a price came about. */
export function priceExplainCommand(): Command {
  return new Command('explain')
    .description(
      'show every number of a price in order, from the suppliers to the result, and why it is not sold if so',
    )
    .argument('<g2aProductId>', 'the G2A product')
    .option('--json', 'print the explanation as JSON')
    .action(explain);
}

async function explain(argument: string, { json: isJson = false }: { json?: boolean }): Promise<void> {
  const g2aProductId = parseG2aProductId(argument);
  const config = await loadConfig();
  await withUnchangedDatabase(config, async ({ dataSource }) => {
    const control = new ControlService(dataSource, config);
    const explanation = await new ExplainPriceService(dataSource, control, config).explain(g2aProductId);
    if (explanation === null) {
      throw new CommandError(
        `Product ${g2aProductId} is not sold: no mapping names it, and no offer of ours is known.`,
      );
    }
    if (isJson) printJson(priceExplanationView(explanation));
    else describePriceExplanation(explanation).forEach(printLine);
  });
}

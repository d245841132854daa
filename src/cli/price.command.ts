import { Command } from 'commander';
import { priceAcceptCommand } from './price-accept.command.js';
import { priceExplainCommand } from './price-explain.command.js';
import { priceHistoryCommand } from './price-history.command.js';
import { pricePreviewCommand } from './price-preview.command.js';

/** `price`: what prices are made of. */
export function priceCommand(): Command {
  return new Command('price')
    .description('look into prices')
    .addCommand(priceExplainCommand())
    .addCommand(pricePreviewCommand())
    .addCommand(priceHistoryCommand())
    .addCommand(priceAcceptCommand());
}

import { Command } from 'commander';
import { alertsCommand } from './alerts.command.js';
import { describeFailure } from './failure.js';
import { keysCommand } from './keys.command.js';
import { migrateCommand } from './migrate.command.js';
import { offersCommand } from './offers.command.js';
import { ordersCommand } from './orders.command.js';
import { printNotice } from './output.js';
import { pauseCommand } from './pause.command.js';
import { priceCommand } from './price.command.js';
import { purchasesCommand } from './purchases.command.js';
import { ratesCommand } from './rates.command.js';
import { resumeCommand } from './resume.command.js';
import { seedCommand } from './seed.command.js';
import { statusCommand } from './status.command.js';

/**
 * Runs one command of `keyferry`. A failure is told on stderr and in `process.exitCode`.
 * @param args without the program's name, such as `['seed', 'games.csv']`.
 */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  try {
    await keyferry().parseAsync(args, { from: 'user' });
  } catch (error) {
    printNotice(describeFailure(error));
    process.exitCode = 1;
  }
}

function keyferry(): Command {
  return new Command('keyferry')
    .description(
      'Keyferry sells CodesWholesale game keys on G2A. `npm start` runs the service; these commands look after it.',
    )
    .addCommand(seedCommand())
    .addCommand(migrateCommand())
    .addCommand(statusCommand())
    .addCommand(pauseCommand())
    .addCommand(resumeCommand())
    .addCommand(offersCommand())
    .addCommand(ratesCommand())
    .addCommand(priceCommand())
    .addCommand(ordersCommand())
    .addCommand(keysCommand())
    .addCommand(purchasesCommand())
    .addCommand(alertsCommand());
}

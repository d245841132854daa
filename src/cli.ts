import 'reflect-metadata';
import { Command } from 'commander';
import { describeFailure } from './cli/failure.js';
import { keysCommand } from './cli/keys.command.js';
import { migrateCommand } from './cli/migrate.command.js';
import { printNotice } from './cli/output.js';
import { offersCommand } from './cli/offers.command.js';
import { ordersCommand } from './cli/orders.command.js';
import { pauseCommand } from './cli/pause.command.js';
import { priceCommand } from './cli/price.command.js';
import { ratesCommand } from './cli/rates.command.js';
import { purchasesCommand } from './cli/purchases.command.js';
import { resumeCommand } from './cli/resume.command.js';
import { seedCommand } from './cli/seed.command.js';
import { statusCommand } from './cli/status.command.js';

const program = new Command('keyferry')
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
  .addCommand(purchasesCommand());

try {
  await program.parseAsync();
} catch (error) {
  printNotice(describeFailure(error));
  process.exitCode = 1;
}

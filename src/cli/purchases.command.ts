import { Command } from 'commander';
import type { AlertKind } from '../alerts/alerts.service.js';
import { loadConfig } from '../config/config.module.js';
import { writeAudit } from '../audit/audit-log.js';
import { inTransaction } from '../database/one-connection.js';
import { openUnmatched, resolveUnmatched } from '../orders/unmatched-orders.queries.js';
import { clearAlertByHand } from './clear-alert.js';
import { withDatabase } from './command-database.js';
import { CommandError } from './failure.js';
import { noteOption } from './note.js';
import { operator } from './operator.js';
import { printLine } from './output.js';
import { purchasesTrustCommand } from './purchases-trust.command.js';

const ALERT = { kind: 'supplier_orders_unmatched' satisfies AlertKind, subject: '' };

/** `purchases`: what was bought at CWS. */
export function purchasesCommand(): Command {
  return new Command('purchases')
    .description('look into orders that CWS has and this database does not know, and into its look-ups')
    .addCommand(
      new Command('unmatched')
        .description('list them: while there is one, nothing is bought')
        .option('--json', 'as JSON')
        .action(listUnmatched),
    )
    .addCommand(
      new Command('resolve')
        .description('say that one was looked into; when none is left, buying goes on')
        .argument('<cwsOrderId>', "CWS's id of the order")
        .addOption(noteOption('what was found, for example "customer has the key, order imported by hand"'))
        .action(resolve),
    )
    .addCommand(purchasesTrustCommand());
}

async function listUnmatched(options: { json?: true }): Promise<void> {
  await withDatabase(await loadConfig(), async ({ dataSource }) => {
    const orders = await openUnmatched(dataSource.manager);
    if (options.json === true) {
      printLine(JSON.stringify(orders, null, 2));
      return;
    }
    for (const { cwsOrderId, clientOrderId, orderedAt } of orders) {
      printLine(`${cwsOrderId}  ${clientOrderId}  ${orderedAt?.toISOString() ?? 'time unknown'}`);
    }
    printLine(orders.length === 0 ? 'none: buying is not held up' : `${orders.length} open: nothing is bought`);
  });
}

async function resolve(cwsOrderId: string, { note }: { note: string }): Promise<void> {
  await withDatabase(await loadConfig(), async ({ dataSource }) => {
    const actor = operator();
    const left = await inTransaction(dataSource, async (manager) => {
      if (!(await resolveUnmatched(manager, cwsOrderId, { actor, note }))) {
        throw new CommandError(`No open order ${cwsOrderId}: see 'purchases unmatched'.`);
      }
      await writeAudit(manager, actor, [
        { action: 'supplier_order.resolved', subjectId: cwsOrderId, details: { note } },
      ]);
      const open = (await openUnmatched(manager)).length;
      if (open === 0) await clearAlertByHand(manager, { ...ALERT, note });
      return open;
    });
    printLine(left === 0 ? 'resolved: buying goes on' : `resolved: ${left} left, nothing is bought`);
  });
}

import { Command } from 'commander';
import type { Alert } from '../alerts/alert.entity.js';
import { openAlerts } from '../alerts/alerts.queries.js';
import { loadDatabaseConfig } from '../config/config.module.js';
import { inTransaction } from '../database/one-connection.js';
import { clearAlertByHand } from './clear-alert.js';
import { withDatabase } from './command-database.js';
import { CommandError } from './failure.js';
import { noteOption } from './note.js';
import { printJson, printLine } from './output.js';

/** `alerts`: what a person should know. */
export function alertsCommand(): Command {
  return new Command('alerts')
    .description('see what a person should know, and close what was looked into')
    .addCommand(
      new Command('list')
        .description('list open alerts, the oldest first')
        .option('--json', 'print the list as JSON')
        .action(list),
    )
    .addCommand(
      new Command('clear')
        .description(
          'close an alert that was looked into. That changes nothing but the alert: what the service still finds true opens ' +
            'again the next time it looks, and what it tells once (a purchase made twice, an order that waits for a person) ' +
            "stays as it is: see 'orders list --stuck'. Look-ups at CWS are trusted again with 'purchases trust' only",
        )
        .argument('<kind>', "its kind, as 'alerts list' shows it")
        .argument('[subject]', 'what it is about, as shown; none when it is about the whole installation', '')
        .addOption(noteOption('what was found, for the audit log'))
        .action(clear),
    );
}

async function list({ json = false }: { json?: boolean }): Promise<void> {
  await withDatabase(await loadDatabaseConfig(), async ({ dataSource }) => {
    const alerts = await openAlerts(dataSource.manager);
    if (json) printJson(alerts);
    else for (const line of describeAlerts(alerts)) printLine(line);
  });
}

async function clear(kind: string, subject: string, { note }: { note: string }): Promise<void> {
  await withDatabase(await loadDatabaseConfig(), async ({ dataSource }) => {
    const wasOpen = await inTransaction(dataSource, (manager) => clearAlertByHand(manager, { kind, subject, note }));
    if (!wasOpen) {
      throw new CommandError(`No alert ${nameOf({ kind, subject })} is open, nothing was changed: see 'alerts list'.`);
    }
    printLine(`cleared: ${nameOf({ kind, subject })}`);
  });
}

function describeAlerts(alerts: readonly Alert[]): string[] {
  if (alerts.length === 0) return ['none'];
  return alerts.flatMap((alert) => {
    const { raisedCount, firstRaisedAt, lastRaisedAt, message } = alert;
    const again = raisedCount === 1 ? '' : `, ${raisedCount} times, last ${lastRaisedAt.toISOString()}`;
    return [`${nameOf(alert)}  since ${firstRaisedAt.toISOString()}${again}`, `  ${message}`];
  });
}

/** As `alerts clear` takes it. */
function nameOf({ kind, subject }: Pick<Alert, 'kind' | 'subject'>): string {
  if (subject === '') return kind;
  return `${kind} ${/\s/.test(subject) ? `"${subject}"` : subject}`;
}

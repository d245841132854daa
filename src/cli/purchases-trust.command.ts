import { Command } from 'commander';
import type { EntityManager } from 'typeorm';
import type { AlertKind } from '../alerts/alerts.service.js';
import { openAlerts } from '../alerts/alerts.queries.js';
import { writeAudit } from '../audit/audit-log.js';
import { loadConfig } from '../config/config.module.js';
import { inTransaction } from '../database/one-connection.js';
import type { CwsAccount } from '../orders/lookup-account.js';
import { LOOKUP_WAYS } from '../orders/purchase-lookup.entity.js';
import { forgetMisses, lockLookups } from '../orders/purchase-lookups.queries.js';
import { clearAlertByHand } from './clear-alert.js';
import { withDatabase } from './command-database.js';
import { CommandError } from './failure.js';
import { noteOption } from './note.js';
import { operator } from './operator.js';
import { printLine } from './output.js';

const ALERT = { kind: 'purchase_lookup_missed' satisfies AlertKind, subject: '' };

interface TrustOptions {
  readonly note: string;
  readonly dryRun?: boolean;
}

/** `purchases trust`: the way back after a look-up has missed an order. */
export function purchasesTrustCommand(): Command {
  return new Command('trust')
    .description(
      "say that CWS's look-ups find orders again, after one has missed an order that exists (alert purchase_lookup_missed): " +
        'a purchase without an answer that both look-ups do not find is sent once more again. If they are wrong about one, ' +
        'it is paid twice. The next miss ends it',
    )
    .addOption(noteOption('what CWS has said or mended, for the audit log'))
    .option('--dry-run', 'show what would change, and change nothing')
    .action(trust);
}

async function trust({ note, dryRun: isDryRun = false }: TrustOptions): Promise<void> {
  const config = await loadConfig();
  await withDatabase(config, async ({ dataSource }) => {
    const lines = await inTransaction(dataSource, (manager) => trustLookups(manager, config, { note, isDryRun }));
    for (const line of lines) printLine(line);
  });
}

/** @returns what it did, or would do, as lines. */
async function trustLookups(
  manager: EntityManager,
  account: CwsAccount,
  { note, isDryRun }: { note: string; isDryRun: boolean },
): Promise<string[]> {
  const lookups = await lockLookups(manager, account);
  const unproven = LOOKUP_WAYS.filter(
    (way) => !lookups.some((lookup) => lookup.way === way && lookup.foundAt !== null),
  );
  if (unproven.length > 0) {
    throw new CommandError(
      `Nothing was changed: ${unproven.join(' and ')} must first find an order of this account once (CWS_API_BASE_URL, CWS_CLIENT_ID). ` +
        'Each purchase that CWS confirms is looked up in both ways by the service.',
    );
  }
  const missed = lookups.flatMap(({ way, foundAt, missedAt }) =>
    foundAt === null || missedAt === null ? [] : [{ way, foundAt, missedAt }],
  );
  const isAlertOpen = (await openAlerts(manager)).some(
    ({ kind, subject }) => kind === ALERT.kind && subject === ALERT.subject,
  );
  if (missed.length === 0 && !isAlertOpen) return ['they are trusted already: nothing changed'];
  if (!isDryRun) {
    await forgetMisses(manager, account);
    await writeAudit(
      manager,
      operator(),
      missed.map(({ way, missedAt }) => ({
        action: 'purchase_lookup.trusted',
        subjectId: way,
        details: { missedAt: missedAt.toISOString(), note },
      })),
    );
    await clearAlertByHand(manager, { ...ALERT, note });
  }
  return [
    `both look-ups are trusted${isDryRun ? ' (dry run: not applied)' : ''}`,
    ...missed.map(
      ({ way, foundAt, missedAt }) =>
        `  ${way} last missed an order at ${missedAt.toISOString()}, and last found one at ${foundAt.toISOString()}`,
    ),
    ...(isAlertOpen ? [`  alert ${ALERT.kind} ${isDryRun ? 'would be' : 'is'} cleared`] : []),
  ];
}

import { Command } from 'commander';
import { loadConfig } from '../config/config.module.js';
import type { ControlState } from '../control/control-state.entity.js';
import { ControlService, type PauseReason } from '../control/control.service.js';
import { ORDER_STATES } from '../orders/order-state.rules.js';
import { withDatabase } from './command-database.js';
import { printJson, printLine } from './output.js';
import { type Counts, countEverything } from './status.queries.js';

/** `status`: whether we are selling, and how much there is of everything. */
export function statusCommand(): Command {
  return new Command('status')
    .description('show whether the service sells, and count mappings, offers, alerts and orders')
    .option('--json', 'print the status as JSON')
    .action(status);
}

async function status({ json: isJson = false }: { json?: boolean }): Promise<void> {
  const config = await loadConfig();
  await withDatabase(config, async ({ dataSource }) => {
    const service = new ControlService(dataSource, config);
    const control = await service.state();
    const pauseReason = await service.pauseReason();
    const counts = await countEverything(dataSource.manager);
    if (isJson) {
      const { isPaused, reason, changedBy, changedAt } = control;
      const orders = Object.fromEntries(ORDER_STATES.map((state) => [state, counts.orders[state] ?? 0]));
      printJson({ isSelling: pauseReason === null, isPaused, reason, changedBy, changedAt, ...counts, orders });
    } else {
      printLine(`selling   ${describeSelling(pauseReason, control)}`);
      printCounts(counts);
    }
  });
}

function describeSelling(pauseReason: PauseReason, control: ControlState): string {
  switch (pauseReason) {
    case null:
      return 'yes';
    case 'service_disabled':
      return 'no: SERVICE_ENABLED=false';
    case 'paused': {
      const reason = control.reason === null ? '' : `: ${control.reason}`;
      return `no, paused by ${control.changedBy ?? 'SQL'} since ${control.changedAt.toISOString()}${reason}`;
    }
  }
}

function printCounts({ mappings, offers, openAlerts, orders }: Counts): void {
  const states = ORDER_STATES.filter((state) => orders[state] !== undefined);
  printLine(`mappings  ${mappings.total} (${mappings.enabled} enabled)`);
  printLine(`offers    ${offers.total} (${offers.forSale} for sale, ${offers.quarantined} quarantined)`);
  printLine(`alerts    ${openAlerts} open`);
  printLine(`orders    ${states.map((state) => `${orders[state] ?? 0} ${state}`).join(', ') || 'none'}`);
}

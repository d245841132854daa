import { Command } from 'commander';
import { loadConfig } from '../config/config.module.js';
import { ControlService } from '../control/control.service.js';
import { withDatabase } from './command-database.js';
import { operator } from './operator.js';
import { printLine } from './output.js';

/** `pause`: stops selling. */
export function pauseCommand(): Command {
  return new Command('pause')
    .description('stop selling; orders that are already paid go on')
    .option('--reason <text>', 'why, for your colleagues (at most 500 characters); changes the reason of a pause')
    .action(pause);
}

async function pause({ reason = null }: { reason?: string | null }): Promise<void> {
  const config = await loadConfig();
  await withDatabase(config, async ({ dataSource }) => {
    const control = new ControlService(dataSource, config);
    const wasPaused = (await control.state()).isPaused;
    const state = await control.pause(operator(), reason);
    const why = state.reason === null ? '' : `: ${state.reason}`;
    printLine(
      `${wasPaused ? 'already ' : ''}paused by ${state.changedBy ?? 'SQL'} since ${state.changedAt.toISOString()}${why}`,
    );
  });
}

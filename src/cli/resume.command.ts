import { Command } from 'commander';
import { loadConfig } from '../config/config.module.js';
import { ControlService } from '../control/control.service.js';
import { withDatabase } from './command-database.js';
import { operator } from './operator.js';
import { printLine } from './output.js';

/** `resume`: ends a pause. */
export function resumeCommand(): Command {
  return new Command('resume').description('sell again after a pause').action(resume);
}

async function resume(): Promise<void> {
  const config = await loadConfig();
  await withDatabase(config, async ({ dataSource }) => {
    const control = new ControlService(dataSource, config);
    await control.resume(operator());
    const isDisabled = (await control.pauseReason()) === 'service_disabled';
    printLine(isDisabled ? 'not paused, but SERVICE_ENABLED=false keeps selling off' : 'selling');
  });
}

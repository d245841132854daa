import { Logger } from '@nestjs/common';

/** What services log is for the service's log, not for the answer of a command. */
export function silenceServices(): void {
  Logger.overrideLogger(false);
}

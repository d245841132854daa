import { ConsoleLogger } from '@nestjs/common';

/** Parts of the framework that tell of every module and route at the start: nothing that anybody looks for. */
const CHATTY_PARTS: ReadonlySet<unknown> = new Set([
  'NestFactory',
  'NestApplication',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
]);

/** The service's own lines, and what the framework warns of or fails at. Colors only where a person looks on, and no `NO_COLOR` is set. */
export class ServiceLogger extends ConsoleLogger {
  constructor({ isJson, isTerminal }: { isJson: boolean; isTerminal: boolean }) {
    super({ json: isJson, prefix: 'keyferry', ...(isTerminal ? {} : { colors: false }) });
  }

  /** @param rest what else is to be logged, and last the part that logs. */
  override log(message: unknown, ...rest: unknown[]): void {
    if (!CHATTY_PARTS.has(rest.at(-1))) super.log(message, ...rest);
  }
}

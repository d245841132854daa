import { Injectable } from '@nestjs/common';
import { JOB_NAMES, type JobName, type JobPayloads } from './job-names.js';

/**
 * Runs one job. Resolved: done. CancelJob: never again. SnoozeJob: later, not an attempt. Any other error: a failure, retried as JOB_OPTIONS
 * says. May run at the same time as another run of the same job (see JobPayloads).
 */
export type JobHandler<N extends JobName> = (payload: JobPayloads[N]) => Promise<void>;

type JobHandlers<Name extends JobName = JobName> = { [N in Name]?: JobHandler<N> };

/** Which handler runs which job. Providers register in their onModuleInit; JobRunner checks the whole at bootstrap. */
@Injectable()
export class JobRegistry {
  readonly #handlers: JobHandlers = {};

  /** @throws Error when the job has a handler already: which of two runs a job must not depend on the order of modules. */
  register<N extends JobName>(name: N, handler: JobHandler<N>): void {
    if (this.#handlers[name] !== undefined) throw new Error(`Job '${name}' has two handlers: register exactly one`);
    const handlers: JobHandlers<N> = this.#handlers;
    handlers[name] = handler;
  }

  /** @throws Error naming each job that has no handler. */
  assertComplete(): void {
    const missing = JOB_NAMES.filter((name) => this.#handlers[name] === undefined);
    if (missing.length === 0) return;
    throw new Error(
      `No handler for job ${missing.map((name) => `'${name}'`).join(', ')}: call JobRegistry.register in an onModuleInit`,
    );
  }

  /** @throws Error when the job has no handler. */
  handlerOf<N extends JobName>(name: N): JobHandler<N> {
    const handler = this.#handlers[name];
    if (handler === undefined) throw new Error(`No handler for job '${name}'`);
    return handler;
  }
}

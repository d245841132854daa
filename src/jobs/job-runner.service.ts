import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import PgBoss from 'pg-boss';
import { JobDatabase } from './job-database.js';
import { JOB_NAMES } from './job-names.js';
import { JobQueue } from './job-queue.js';
import { JobRegistry } from './job-registry.js';
import { JobWorker } from './job-worker.js';

/** Injection token (boolean): whether this process takes jobs, or sends them only. */
export const IS_WORKING = Symbol('IS_WORKING');

/** How long running jobs may take to finish at shutdown; with the rest of the shutdown it stays within 10 s. */
const STOP_GRACE_MS = 8_000;

/** Starts the workers when the application is up, and stops them before anything that they use is closed. */
@Injectable()
export class JobRunner implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  #workers: JobWorker[] = [];

  constructor(
    @Inject(IS_WORKING) private readonly isWorking: boolean,
    private readonly boss: PgBoss,
    private readonly database: JobDatabase,
    private readonly queue: JobQueue,
    private readonly registry: JobRegistry,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.isWorking) return;
    this.registry.assertComplete();
    this.#workers = JOB_NAMES.map((name) => new JobWorker(name, this.registry.handlerOf(name), this.boss, this.queue));
    for (const worker of this.#workers) worker.start();
  }

  /** The first hook of a shutdown; TypeORM closes in the last one, and so must whatever else the handlers use. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop(STOP_GRACE_MS)));
  }

  /** Not before: requests that are still being answered may send jobs. */
  async onApplicationShutdown(): Promise<void> {
    await this.boss.stop({ graceful: false });
    await this.database.close();
  }
}

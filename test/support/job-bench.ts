import { Logger, Module, type DynamicModule } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { DatabaseModule } from '../../src/database/database.module.js';
import { JobQueue } from '../../src/jobs/job-queue.js';
import { type JobHandler, JobRegistry } from '../../src/jobs/job-registry.js';
import { JobsModule } from '../../src/jobs/jobs.module.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

export type OrderHandler = JobHandler<'purchase-order'>;

/** A row of `pgboss.job`, as far as tests look at it. */
export interface JobRow {
  readonly state: string;
  readonly retry_count: number;
  readonly output: unknown;
}

/** Stands for the modules that register handlers. */
@Module({})
class HandlersModule {
  static with(register: (registry: JobRegistry) => void): DynamicModule {
    const provider = {
      provide: 'HANDLERS',
      inject: [JobRegistry],
      useFactory: (registry: JobRegistry) => ({
        onModuleInit: () => {
          register(registry);
        },
      }),
    };
    return { module: HandlersModule, providers: [provider] };
  }
}

/** A database of one test, and the applications that send and run jobs on it. Close it when the test has ended. */
export class JobBench {
  #apps: TestingModule[] = [];

  private constructor(
    readonly database: TestDatabase,
    /** A connection of nobody's. */
    public outsider: pg.Client,
  ) {}

  static async open(): Promise<JobBench> {
    const database = await createTestDatabase();
    return new JobBench(database, await connected(database.url));
  }

  async close(): Promise<void> {
    await Promise.all(this.#apps.map((app) => this.stop(app)));
    await this.outsider.end();
    await this.database.drop();
  }

  /** Connects the outsider anew, whose connection the server has ended. */
  async reconnect(): Promise<void> {
    this.outsider = await connected(this.database.url);
  }

  async startApp(register: (registry: JobRegistry) => void, isWorking = true): Promise<TestingModule> {
    const imports = [
      DatabaseModule.forRoot(this.database.url),
      JobsModule.forRoot({ isWorking }),
      HandlersModule.with(register),
    ];
    const app = await Test.createTestingModule({ imports }).compile();
    Logger.overrideLogger(false);
    this.#apps.push(app);
    return await app.init();
  }

  /** Closes an application before the end of the test. */
  stop(app: TestingModule): Promise<void> {
    this.#apps = this.#apps.filter((other) => other !== app);
    return app.close();
  }

  /** An application whose purchase-order jobs go to `handler`. */
  async startWorkingApp(
    handler: OrderHandler,
  ): Promise<{ app: TestingModule; queue: JobQueue; dataSource: DataSource }> {
    const app = await this.startApp((registry) => {
      registry.register('purchase-order', handler);
      registry.register('poll-purchase', () => Promise.resolve());
    });
    return { app, queue: app.get(JobQueue), dataSource: app.get(DataSource) };
  }

  /** An application that sends jobs and runs none. */
  async startSender(): Promise<{ queue: JobQueue; dataSource: DataSource }> {
    const app = await this.startApp(() => undefined, false);
    return { queue: app.get(JobQueue), dataSource: app.get(DataSource) };
  }

  async jobRows(): Promise<JobRow[]> {
    const { rows } = await this.outsider.query<JobRow>(
      'SELECT state, retry_count, output FROM pgboss.job ORDER BY created_on',
    );
    return rows;
  }

  async allCompleted(): Promise<boolean> {
    return (await this.jobRows()).every(({ state }) => state === 'completed');
  }
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  return client;
}

/** A handler that notes the orders it was called for and then does as told. */
export function noting(then: (run: number) => void | Promise<void> = () => undefined): {
  orders: string[];
  handler: OrderHandler;
} {
  const orders: string[] = [];
  return { orders, handler: async ({ orderId }) => then(orders.push(orderId)) };
}

/** Waits as long as the test may take. */
export async function eventually(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(20);
}

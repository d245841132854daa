import { jest } from '@jest/globals';
import { Logger, Module, type DynamicModule } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { inTransaction } from '../src/database/one-connection.js';
import { DatabaseModule } from '../src/database/database.module.js';
import { JobDatabase } from '../src/jobs/job-database.js';
import { JOB_NAMES } from '../src/jobs/job-names.js';
import { JobQueue } from '../src/jobs/job-queue.js';
import { type JobHandler, JobRegistry } from '../src/jobs/job-registry.js';
import { CancelJob, SnoozeJob } from '../src/jobs/job-verdicts.js';
import { JobsModule } from '../src/jobs/jobs.module.js';
import { startBoss } from '../src/jobs/start-boss.js';
import { createTestDatabase } from './support/test-database.js';

// Three maintenance rounds of pg-boss, and a slow machine.
jest.setTimeout(60_000);

type OrderHandler = JobHandler<'purchase-order'>;

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

interface JobRow {
  state: string;
  retry_count: number;
  output: unknown;
}

let database: { url: string; drop(): Promise<void> };
let outsider: pg.Client;
let apps: TestingModule[];

beforeEach(async () => {
  database = await createTestDatabase();
  outsider = new pg.Client(database.url);
  await outsider.connect();
  apps = [];
});

afterEach(async () => {
  jest.useRealTimers();
  await Promise.all(apps.map(close));
  await outsider.end();
  await database.drop();
});

async function startApp(register: (registry: JobRegistry) => void, isWorking = true): Promise<TestingModule> {
  const imports = [
    DatabaseModule.forRoot(database.url),
    JobsModule.forRoot({ isWorking }),
    HandlersModule.with(register),
  ];
  const app = await Test.createTestingModule({ imports }).compile();
  Logger.overrideLogger(false);
  apps.push(app);
  return await app.init();
}

function close(app: TestingModule): Promise<void> {
  apps = apps.filter((other) => other !== app);
  return app.close();
}

/** An application whose purchase-order jobs go to `handler`. */
async function startWorkingApp(
  handler: OrderHandler,
): Promise<{ app: TestingModule; queue: JobQueue; dataSource: DataSource }> {
  const app = await startApp((registry) => {
    registry.register('purchase-order', handler);
    registry.register('poll-purchase', () => Promise.resolve());
  });
  return { app, queue: app.get(JobQueue), dataSource: app.get(DataSource) };
}

async function startSender(): Promise<{ queue: JobQueue; dataSource: DataSource }> {
  const app = await startApp(() => undefined, false);
  return { queue: app.get(JobQueue), dataSource: app.get(DataSource) };
}

/** A handler that notes the orders it was called for and then does as told. */
function noting(then: (run: number) => void | Promise<void> = () => undefined): {
  orders: string[];
  handler: OrderHandler;
} {
  const orders: string[] = [];
  return { orders, handler: async ({ orderId }) => then(orders.push(orderId)) };
}

async function jobRows(): Promise<JobRow[]> {
  const { rows } = await outsider.query<JobRow>(
    'SELECT state, retry_count, output FROM pgboss.job ORDER BY created_on',
  );
  return rows;
}

async function eventually(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(20);
}

async function allCompleted(): Promise<boolean> {
  return (await jobRows()).every(({ state }) => state === 'completed');
}

/** Stops the clock of polls and time limits; everything else goes on. */
function stopTheClock(): void {
  jest.useFakeTimers({
    doNotFake: ['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'setInterval'],
  });
}

describe('sending a job', () => {
  it('starts it by the commit alone, without a poll, and runs it once', async () => {
    stopTheClock();
    const { orders, handler } = noting();
    const { queue, dataSource } = await startWorkingApp(handler);
    await inTransaction(dataSource, async (manager) => {
      await queue.send('purchase-order', { orderId: 'a' }, { manager });
    });
    await eventually(() => orders.length > 0);
    await queue.send('purchase-order', { orderId: 'b' });
    await eventually(() => orders.length > 1);
    await eventually(allCompleted);
    expect(orders).toEqual(['a', 'b']);
  });

  it('never runs one whose transaction was rolled back', async () => {
    const { orders, handler } = noting();
    const { queue, dataSource } = await startWorkingApp(handler);
    const transaction = inTransaction(dataSource, async (manager) => {
      await queue.send('purchase-order', { orderId: 'undone' }, { manager });
      throw new Error('changed my mind');
    });
    await expect(transaction).rejects.toThrow('changed my mind');
    await queue.send('purchase-order', { orderId: 'later' });
    await eventually(() => orders.includes('later'));
    expect(orders).toEqual(['later']);
    expect(await jobRows()).toHaveLength(1);
  });

  it('refuses a manager without a transaction', async () => {
    const { queue, dataSource } = await startSender();
    const sent = queue.send('purchase-order', { orderId: 'a' }, { manager: dataSource.manager });
    await expect(sent).rejects.toThrow('no open transaction');
  });

  it('brings a waiting job forward instead of adding a second', async () => {
    const { orders, handler } = noting();
    const { queue } = await startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'a' }, { startAfterSeconds: 3_600 });
    await queue.send('purchase-order', { orderId: 'a' }, { startAfterSeconds: 7_200 });
    await queue.send('purchase-order', { orderId: 'a' });
    await eventually(() => orders.length > 0);
    await eventually(allCompleted);
    expect(await jobRows()).toHaveLength(1);
  });

  it('adds a second while the first is running', async () => {
    const { orders, handler } = noting(async (run) => {
      if (run === 1) await queue.send('purchase-order', { orderId: 'a' });
    });
    const { queue } = await startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'a' });
    await eventually(() => orders.length === 2);
  });

  it('lets no worker take a waiting job between a second send and its commit', async () => {
    const { queue, dataSource } = await startSender();
    await outsider.query('CREATE TABLE changes (id int)');
    await queue.send('purchase-order', { orderId: 'a' });
    const seen: Record<string, number> = {};
    await inTransaction(dataSource, async (manager) => {
      await queue.send('purchase-order', { orderId: 'a' }, { manager });
      await startWorkingApp(async ({ orderId }) => {
        seen[orderId] = (await outsider.query('SELECT id FROM changes')).rows.length;
      });
      await queue.send('purchase-order', { orderId: 'behind a' });
      await eventually(() => seen['behind a'] === 0);
      await manager.query('INSERT INTO changes VALUES (1)');
    });
    await eventually(() => seen.a !== undefined);
    expect(seen.a).toBe(1);
  });
});

describe('booting', () => {
  it('fails when a job has no handler, and names it', async () => {
    const boot = startApp((registry) => {
      registry.register('purchase-order', () => Promise.resolve());
    });
    await expect(boot).rejects.toThrow("No handler for job 'poll-purchase'");
  });

  it('fails when a job has two handlers, and names it', async () => {
    const boot = startApp((registry) => {
      registry.register('purchase-order', () => Promise.resolve());
      registry.register('purchase-order', () => Promise.resolve());
    });
    await expect(boot).rejects.toThrow("Job 'purchase-order' has two handlers");
  });

  it('installs itself once when eight processes do so in the same instant', async () => {
    const databases = Array.from({ length: 8 }, () => new JobDatabase(database.url));
    try {
      await Promise.all(databases.map((jobDatabase) => startBoss(jobDatabase, false)));
    } finally {
      await Promise.all(databases.map((jobDatabase) => jobDatabase.close()));
    }
    const { rows } = await outsider.query<{ name: string }>('SELECT name FROM pgboss.queue ORDER BY name');
    expect(rows.map(({ name }) => name)).toEqual([...JOB_NAMES].sort());
  });

  it('lets five processes start together on an empty database and run each job once', async () => {
    const { orders, handler } = noting();
    const started = await Promise.all(Array.from({ length: 5 }, () => startWorkingApp(handler)));
    const sent = Array.from({ length: 50 }, (_, index) => `order-${index}`);
    await Promise.all(sent.map((orderId, index) => started[index % 5]!.queue.send('purchase-order', { orderId })));
    await eventually(async () => orders.length >= sent.length && (await allCompleted()));
    expect(orders.sort()).toEqual(sent.sort());
  });
});

describe('a handler', () => {
  it('is run again later when it snoozes, without counting an attempt', async () => {
    const { orders, handler } = noting((run) => {
      if (run < 3) throw new SnoozeJob(0.1);
    });
    const { queue } = await startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'a' });
    await eventually(async () => orders.length === 3 && (await allCompleted()));
    expect((await jobRows()).map((row) => row.retry_count)).toEqual([0, 0, 0]);
  });

  it('is not run again when it cancels, and the reason is kept', async () => {
    const { orders, handler } = noting(() => {
      throw new CancelJob('nobody wants it');
    });
    const { queue } = await startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'a' });
    await eventually(async () => orders.length > 0 && (await allCompleted()));
    expect(await jobRows()).toEqual([{ state: 'completed', retry_count: 0, output: { canceled: 'nobody wants it' } }]);
  });

  it('is run again after a failure, of which only the message is kept', async () => {
    const { orders, handler } = noting((run) => {
      if (run === 1) throw Object.assign(new Error('no answer'), { headers: { authorization: 'Bearer secret' } });
    });
    const { queue } = await startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'a' });
    await eventually(async () => (await jobRows())[0]?.state === 'retry');
    expect(await jobRows()).toEqual([{ state: 'retry', retry_count: 0, output: { message: 'no answer' } }]);
    await eventually(async () => orders.length === 2 && (await allCompleted()));
    expect((await jobRows())[0]?.retry_count).toBe(1);
  });

  it('that hangs past its time limit loses its place and its job to another run', async () => {
    stopTheClock();
    const { orders, handler } = noting((run) => (run === 1 ? new Promise<void>(() => undefined) : undefined));
    const { queue } = await startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'a' });
    await eventually(() => orders.length === 1);
    await jest.advanceTimersByTimeAsync(15_000);
    expect((await jobRows())[0]?.state).toBe('active');
    await outsider.query(`UPDATE pgboss.job SET started_on = started_on - interval '15 seconds'`);
    await eventually(async () => {
      await jest.advanceTimersByTimeAsync(500);
      return orders.length === 2 && (await allCompleted());
    });
  });
});

describe('when something dies', () => {
  it('runs the job of a killed worker again', async () => {
    const { queue } = await startSender();
    await queue.send('purchase-order', { orderId: 'a' });
    // What a worker killed 15 seconds ago leaves behind.
    await outsider.query(`UPDATE pgboss.job SET state = 'active', started_on = now() - interval '15 seconds'`);
    const { orders, handler } = noting();
    await startWorkingApp(handler);
    await eventually(async () => orders.length === 1 && (await allCompleted()));
    expect((await jobRows())[0]?.retry_count).toBe(1);
  });

  it('survives a database that is away when a job is done, and goes on by itself', async () => {
    const { pathname } = new URL(database.url);
    const name = pathname.slice(1);
    const server = new pg.Client(Object.assign(new URL(database.url), { pathname: '/postgres' }).toString());
    await server.connect();
    outsider.on('error', () => undefined);
    try {
      const { orders, handler } = noting(async (run) => {
        if (run > 1) return;
        await server.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`);
        await server.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
      });
      const { queue } = await startWorkingApp(handler);
      await queue.send('purchase-order', { orderId: 'during' });
      // Long enough for the completion and some polls to fail.
      await eventually(() => orders.length === 1);
      await sleep(1_500);
      await server.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`);
      outsider = new pg.Client(database.url);
      await outsider.connect();
      await queue.send('purchase-order', { orderId: 'after' });
      await eventually(() => orders.includes('after'));
      await outsider.query(`UPDATE pgboss.job SET started_on = now() - interval '15 seconds' WHERE state = 'active'`);
      await eventually(
        async () => orders.filter((orderId) => orderId === 'during').length === 2 && (await allCompleted()),
      );
    } finally {
      await server.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`);
      await server.end();
    }
  });
});

describe('stopping', () => {
  it('waits for the running job before anything closes, and takes no other', async () => {
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const { orders, handler } = noting(() => finished);
    const { app, queue, dataSource } = await startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'running' });
    await eventually(() => orders.length === 1);
    const closed = close(app);
    await sleep(600);
    await outsider.query(
      `INSERT INTO pgboss.job (name, data, policy, singleton_key) VALUES ('purchase-order', '{"orderId":"late"}', 'short', 'late')`,
    );
    await sleep(600);
    expect(dataSource.isInitialized).toBe(true);
    finish();
    await closed;
    expect(orders).toEqual(['running']);
    expect((await jobRows()).map((row) => row.state)).toEqual(['completed', 'created']);
  });

  it('hands back the job that does not finish in time', async () => {
    stopTheClock();
    const { orders, handler } = noting(() => new Promise<void>(() => undefined));
    const { app, queue } = await startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'endless' });
    await eventually(() => orders.length === 1);
    const closed = close(app);
    await jest.advanceTimersByTimeAsync(8_000);
    await closed;
    expect((await jobRows()).map((row) => row.state)).toEqual(['completed', 'created']);
  });
});

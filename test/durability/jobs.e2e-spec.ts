import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { JobDatabase } from '../../src/jobs/job-database.js';
import { JOB_NAMES } from '../../src/jobs/job-names.js';
import { startBoss } from '../../src/jobs/start-boss.js';
import { eventually, JobBench, noting } from '../support/job-bench.js';

let bench: JobBench;

beforeEach(async () => {
  bench = await JobBench.open();
});
afterEach(() => bench.close());

describe('processes that start together', () => {
  it('install the queues once when eight do so in the same instant', async () => {
    const databases = Array.from({ length: 8 }, () => new JobDatabase(bench.database.url));
    try {
      await Promise.all(databases.map((jobDatabase) => startBoss(jobDatabase, false)));
    } finally {
      await Promise.all(databases.map((jobDatabase) => jobDatabase.close()));
    }
    const { rows } = await bench.outsider.query<{ name: string }>('SELECT name FROM pgboss.queue ORDER BY name');
    expect(rows.map(({ name }) => name)).toEqual([...JOB_NAMES].sort());
  });

  it('run each job once, also when five start on an empty database', async () => {
    const { orders, handler } = noting();
    const started = await Promise.all(Array.from({ length: 5 }, () => bench.startWorkingApp(handler)));
    const sent = Array.from({ length: 50 }, (_, index) => `order-${index}`);
    await Promise.all(sent.map((orderId, index) => started[index % 5]!.queue.send('purchase-order', { orderId })));
    await eventually(async () => orders.length >= sent.length && (await bench.allCompleted()));
    expect(orders.sort()).toEqual(sent.sort());
  });
});

describe('when something dies', () => {
  it('runs the job of a killed worker again', async () => {
    const { queue } = await bench.startSender();
    await queue.send('purchase-order', { orderId: 'a' });
    // What a worker killed 15 seconds ago leaves behind.
    await bench.outsider.query(`UPDATE pgboss.job SET state = 'active', started_on = now() - interval '15 seconds'`);
    const { orders, handler } = noting();
    await bench.startWorkingApp(handler);
    await eventually(async () => orders.length === 1 && (await bench.allCompleted()));
    expect((await bench.jobRows())[0]?.retry_count).toBe(1);
  });

  it('survives a database that is away when a job is done, and goes on by itself', async () => {
    const { pathname } = new URL(bench.database.url);
    const name = pathname.slice(1);
    const server = new pg.Client(Object.assign(new URL(bench.database.url), { pathname: '/postgres' }).toString());
    await server.connect();
    bench.outsider.on('error', () => undefined);
    try {
      const { orders, handler } = noting(async (run) => {
        if (run > 1) return;
        await server.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`);
        await server.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
      });
      const { queue } = await bench.startWorkingApp(handler);
      await queue.send('purchase-order', { orderId: 'during' });
      // Long enough for the completion and some polls to fail.
      await eventually(() => orders.length === 1);
      await sleep(1_500);
      await server.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`);
      await bench.reconnect();
      await queue.send('purchase-order', { orderId: 'after' });
      await eventually(() => orders.includes('after'));
      await bench.outsider.query(
        `UPDATE pgboss.job SET started_on = now() - interval '15 seconds' WHERE state = 'active'`,
      );
      await eventually(
        async () => orders.filter((orderId) => orderId === 'during').length === 2 && (await bench.allCompleted()),
      );
    } finally {
      await server.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`);
      await server.end();
    }
  });
});

import { jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { inTransaction } from '../src/database/one-connection.js';
import { CancelJob, SnoozeJob } from '../src/jobs/job-verdicts.js';
import { eventually, JobBench, noting } from './support/job-bench.js';

let bench: JobBench;

beforeEach(async () => {
  bench = await JobBench.open();
});
afterEach(async () => {
  jest.useRealTimers();
  await bench.close();
});

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
    const { queue, dataSource } = await bench.startWorkingApp(handler);
    await inTransaction(dataSource, async (manager) => {
      await queue.send('purchase-order', { orderId: 'a' }, { manager });
    });
    await eventually(() => orders.length > 0);
    await queue.send('purchase-order', { orderId: 'b' });
    await eventually(() => orders.length > 1);
    await eventually(() => bench.allCompleted());
    expect(orders).toEqual(['a', 'b']);
  });

  it('never runs one whose transaction was rolled back', async () => {
    const { orders, handler } = noting();
    const { queue, dataSource } = await bench.startWorkingApp(handler);
    const transaction = inTransaction(dataSource, async (manager) => {
      await queue.send('purchase-order', { orderId: 'undone' }, { manager });
      throw new Error('changed my mind');
    });
    await expect(transaction).rejects.toThrow('changed my mind');
    await queue.send('purchase-order', { orderId: 'later' });
    await eventually(() => orders.includes('later'));
    expect(orders).toEqual(['later']);
    expect(await bench.jobRows()).toHaveLength(1);
  });

  it('refuses a manager without a transaction', async () => {
    const { queue, dataSource } = await bench.startSender();
    const sent = queue.send('purchase-order', { orderId: 'a' }, { manager: dataSource.manager });
    await expect(sent).rejects.toThrow('no open transaction');
  });

  it('brings a waiting job forward instead of adding a second', async () => {
    const { orders, handler } = noting();
    const { queue } = await bench.startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'a' }, { startAfterSeconds: 3_600 });
    await queue.send('purchase-order', { orderId: 'a' }, { startAfterSeconds: 7_200 });
    await queue.send('purchase-order', { orderId: 'a' });
    await eventually(() => orders.length > 0);
    await eventually(() => bench.allCompleted());
    expect(await bench.jobRows()).toHaveLength(1);
  });

  it('adds a second while the first is running', async () => {
    const { orders, handler } = noting(async (run) => {
      if (run === 1) await queue.send('purchase-order', { orderId: 'a' });
    });
    const { queue } = await bench.startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'a' });
    await eventually(() => orders.length === 2);
  });

  it('lets no worker take a waiting job between a second send and its commit', async () => {
    const { queue, dataSource } = await bench.startSender();
    await bench.outsider.query('CREATE TABLE changes (id int)');
    await queue.send('purchase-order', { orderId: 'a' });
    const seen: Record<string, number> = {};
    await inTransaction(dataSource, async (manager) => {
      await queue.send('purchase-order', { orderId: 'a' }, { manager });
      await bench.startWorkingApp(async ({ orderId }) => {
        seen[orderId] = (await bench.outsider.query('SELECT id FROM changes')).rows.length;
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
    const boot = bench.startApp((registry) => {
      registry.register('purchase-order', () => Promise.resolve());
    });
    await expect(boot).rejects.toThrow("No handler for job 'poll-purchase'");
  });

  it('fails when a job has two handlers, and names it', async () => {
    const boot = bench.startApp((registry) => {
      registry.register('purchase-order', () => Promise.resolve());
      registry.register('purchase-order', () => Promise.resolve());
    });
    await expect(boot).rejects.toThrow("Job 'purchase-order' has two handlers");
  });
});

describe('a handler', () => {
  it('is run again later when it snoozes, without counting an attempt', async () => {
    const { orders, handler } = noting((run) => {
      if (run < 3) throw new SnoozeJob(0.1);
    });
    const { queue } = await bench.startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'a' });
    await eventually(async () => orders.length === 3 && (await bench.allCompleted()));
    expect((await bench.jobRows()).map((row) => row.retry_count)).toEqual([0, 0, 0]);
  });

  it('is not run again when it cancels, and the reason is kept', async () => {
    const { orders, handler } = noting(() => {
      throw new CancelJob('nobody wants it');
    });
    const { queue } = await bench.startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'a' });
    await eventually(async () => orders.length > 0 && (await bench.allCompleted()));
    expect(await bench.jobRows()).toEqual([
      { state: 'completed', retry_count: 0, output: { canceled: 'nobody wants it' } },
    ]);
  });

  it('is run again after a failure, of which only the message is kept', async () => {
    const { orders, handler } = noting((run) => {
      if (run === 1) throw Object.assign(new Error('no answer'), { headers: { authorization: 'Bearer secret' } });
    });
    const { queue } = await bench.startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'a' });
    await eventually(async () => (await bench.jobRows())[0]?.state === 'retry');
    expect(await bench.jobRows()).toEqual([{ state: 'retry', retry_count: 0, output: { message: 'no answer' } }]);
    await eventually(async () => orders.length === 2 && (await bench.allCompleted()));
    expect((await bench.jobRows())[0]?.retry_count).toBe(1);
  });

  it('that hangs past its time limit loses its place and its job to another run', async () => {
    stopTheClock();
    const { orders, handler } = noting((run) => (run === 1 ? new Promise<void>(() => undefined) : undefined));
    const { queue } = await bench.startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'a' });
    await eventually(() => orders.length === 1);
    await jest.advanceTimersByTimeAsync(15_000);
    expect((await bench.jobRows())[0]?.state).toBe('active');
    await bench.outsider.query(`UPDATE pgboss.job SET started_on = started_on - interval '15 seconds'`);
    await eventually(async () => {
      await jest.advanceTimersByTimeAsync(500);
      return orders.length === 2 && (await bench.allCompleted());
    });
  });
});

describe('stopping', () => {
  it('waits for the running job before anything closes, and takes no other', async () => {
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const { orders, handler } = noting(() => finished);
    const { app, queue, dataSource } = await bench.startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'running' });
    await eventually(() => orders.length === 1);
    const closed = bench.stop(app);
    await sleep(600);
    await bench.outsider.query(
      `INSERT INTO pgboss.job (name, data, policy, singleton_key) VALUES ('purchase-order', '{"orderId":"late"}', 'short', 'late')`,
    );
    await sleep(600);
    expect(dataSource.isInitialized).toBe(true);
    finish();
    await closed;
    expect(orders).toEqual(['running']);
    expect((await bench.jobRows()).map((row) => row.state)).toEqual(['completed', 'created']);
  });

  it('hands back the job that does not finish in time', async () => {
    stopTheClock();
    const { orders, handler } = noting(() => new Promise<void>(() => undefined));
    const { app, queue } = await bench.startWorkingApp(handler);
    await queue.send('purchase-order', { orderId: 'endless' });
    await eventually(() => orders.length === 1);
    const closed = bench.stop(app);
    await jest.advanceTimersByTimeAsync(8_000);
    await closed;
    expect((await bench.jobRows()).map((row) => row.state)).toEqual(['completed', 'created']);
  });
});

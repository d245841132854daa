import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { cwsProductId, g2aOfferId } from '../../sandbox/catalog.js';
import { type CwsSandbox, startCwsSandbox } from '../../sandbox/cws.js';
import { type G2aSandbox, startG2aSandbox } from '../../sandbox/g2a.js';
import { createDataSource } from '../../src/data-source.js';
import { serviceDataSourceOptions } from '../../src/database/data-source-options.js';
import { LeadershipService } from '../../src/sync/leadership.service.js';
import { environment, mapGames } from '../support/keyferry.js';
import { type Program, startProgram } from '../support/program.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await condition());) {
    if (Date.now() > deadline) throw new Error(`it did not happen within 30 s: ${what}`);
    await sleep(50);
  }
}

/** Passes everything on, until the connections that are open are to go silent: later ones work. */
async function silentProxy(target: URL): Promise<{ url: string; goSilent: () => void; close: () => void }> {
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    pairs.add([client, upstream]);
    client.pipe(upstream);
    upstream.pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.on('close', () => upstream.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    goSilent: () => {
      for (const [client, upstream] of pairs) {
        client.unpipe();
        upstream.unpipe();
      }
    },
    close: () => {
      for (const sockets of pairs) for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe('the lead', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
    dataSource = await createDataSource(database.url).initialize();
  });
  beforeEach(() => dataSource.query('UPDATE sync_leadership SET holder = NULL'));
  afterEach(() => {
    jest.restoreAllMocks();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  const expire = (): Promise<unknown> => dataSource.query('UPDATE sync_leadership SET expires_at = clock_timestamp()');
  /** As after a long freeze of this process: its clock has gone on. */
  function passMs(ms: number): void {
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + ms);
  }

  it('goes to one of those who ask at the same time', async () => {
    const candidates = Array.from({ length: 8 }, () => new LeadershipService(dataSource));
    await Promise.all(candidates.map((candidate) => candidate.campaign()));
    expect(candidates.filter((candidate) => candidate.isLeader())).toHaveLength(1);
  });

  it('is nobody else’s while it is renewed, and anybody’s when it is handed over', async () => {
    const [first, second] = [new LeadershipService(dataSource), new LeadershipService(dataSource)];
    await first.campaign();
    passMs(3000);
    await first.campaign();
    await second.campaign();
    expect([first.isLeader(), second.isLeader()]).toEqual([true, false]);

    first.stepDown();
    await second.campaign();
    expect([first.isLeader(), second.isLeader()]).toEqual([false, false]);
    await first.handOver();
    await second.campaign();
    expect(second.isLeader()).toBe(true);
    await first.campaign();
    expect(first.isLeader()).toBe(false);
  });

  it('ends for a process that was frozen before another can have it, and does not come back to it', async () => {
    const [frozen, other] = [new LeadershipService(dataSource), new LeadershipService(dataSource)];
    await frozen.campaign();
    passMs(6000);
    expect(frozen.isLeader()).toBe(false);
    // Not even now: by the database's clock no time has passed.
    await other.campaign();
    expect(other.isLeader()).toBe(false);
    await expire();
    await other.campaign();
    await frozen.campaign();
    expect([frozen.isLeader(), other.isLeader()]).toEqual([false, true]);
  });

  it('is not given back by one who has lost it', async () => {
    const [lost, other] = [new LeadershipService(dataSource), new LeadershipService(dataSource)];
    await lost.campaign();
    await expire();
    await other.campaign();
    lost.stepDown();
    await lost.handOver();
    const third = new LeadershipService(dataSource);
    await third.campaign();
    expect(third.isLeader()).toBe(false);
  });

  it('is over when the database does not answer for as long as the lease', async () => {
    const leadership = new LeadershipService(dataSource);
    await leadership.campaign();
    jest.spyOn(dataSource.manager, 'query').mockRejectedValue(new Error('no database'));
    passMs(3000);
    await leadership.campaign();
    expect(leadership.isLeader()).toBe(true);
    jest.spyOn(performance, 'now').mockRestore();
    passMs(6000);
    await leadership.campaign();
    expect(leadership.isLeader()).toBe(false);
  });
});

describe('a replica whose connection to the database goes silent, without a word of its end', () => {
  it('gives that connection up, and may lead again by another one', async () => {
    const database = await createTestDatabase();
    const proxy = await silentProxy(new URL(database.url));
    const { extra, ...options } = serviceDataSourceOptions(proxy.url);
    const dataSource = await new DataSource({ ...options, extra: { ...extra, query_timeout: 500 } }).initialize();
    const leadership = new LeadershipService(dataSource);
    await leadership.campaign();
    expect(leadership.isLeader()).toBe(true);

    proxy.goSilent();
    Reflect.set(leadership, 'leadsUntilMs', -Infinity);
    // Not asked for an end: nobody answers.
    await leadership.campaign();
    expect(leadership.isLeader()).toBe(false);
    // Each of the pool's silent connections has to be found out.
    await until(async () => {
      await leadership.campaign();
      return leadership.isLeader();
    }, 'it leads again');

    await dataSource.destroy();
    proxy.close();
    await database.drop();
  });
});

describe('two replicas', () => {
  let cws: CwsSandbox;
  let g2a: G2aSandbox;
  let database: TestDatabase;
  let dataSource: DataSource;
  let settings: Record<string, string>;
  const programs: Program[] = [];
  let leader: Program;
  let standby: Program;

  beforeAll(async () => {
    cws = await startCwsSandbox({ products: 5 });
    g2a = await startG2aSandbox({ products: 5, applyDelayMs: 0 });
    database = await createTestDatabase();
    dataSource = await createDataSource(database.url).initialize();
    await mapGames({ sql: dataSource.query.bind(dataSource) }, [1, 2]);
    settings = { ...environment(cws.url, g2a.url), DATABASE_URL: database.url, SYNC_INTERVAL_SECONDS: '1' };
  });
  afterAll(async () => {
    await Promise.all(programs.map((program) => program.end('SIGKILL')));
    await Promise.all([cws.close(), g2a.close()]);
    await dataSource.destroy();
    await database.drop();
  });

  async function start(): Promise<Program> {
    const program = await startProgram(settings);
    programs.push(program);
    return program;
  }
  const leads = (program: Program): boolean => program.output().includes('this replica synchronizes');
  const lease = async (): Promise<{ holder: string | null; leftSeconds: number }> => {
    const [row] = await dataSource.query(
      `SELECT holder, extract(epoch FROM expires_at - clock_timestamp())::float8 AS "leftSeconds" FROM sync_leadership`,
    );
    return row;
  };
  const sells = (game: number): boolean => g2a.marketplace.offer(g2aOfferId(game)).active;

  it('sync one at a time: when the leader is killed with -9 the other one follows it, and takes up what has changed', async () => {
    leader = await start();
    await until(() => sells(1), 'the first offer is on sale');
    standby = await start();
    expect([leads(leader), leads(standby)]).toEqual([true, false]);
    const { holder } = await lease();

    const [{ now: killedAt }] = await dataSource.query('SELECT clock_timestamp() AS now');
    await leader.end('SIGKILL');
    // What is left is the longest that nobody synchronizes, together with the second between two looks.
    expect((await lease()).leftSeconds).toBeLessThanOrEqual(6);
    cws.supplier.setProduct(cwsProductId(1), { quantity: 0 });
    expect(leads(standby)).toBe(false);
    await until(() => !sells(1), 'the sold out offer is off');
    expect(leads(standby)).toBe(true);
    expect((await lease()).holder).not.toBe(holder);
    const [{ seconds }] = await dataSource.query(
      'SELECT extract(epoch FROM acquired_at - $1::timestamptz)::float8 AS seconds FROM sync_leadership',
      [killedAt],
    );
    expect(seconds).toBeLessThan(10);
  });

  it('hand over at a clean shutdown, without waiting for the lease to run out', async () => {
    [leader, standby] = [standby, await start()];
    const { holder } = await lease();
    expect(await leader.end('SIGTERM')).toBe(0);
    // Free, or taken by the other one: never still the leader's.
    expect((await lease()).holder).not.toBe(holder);
    cws.supplier.setProduct(cwsProductId(1), { quantity: 9 });
    await until(() => sells(1), 'the restocked offer is on sale again');
    expect(leads(standby)).toBe(true);
  });
});

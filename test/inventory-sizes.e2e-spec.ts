import { jest } from '@jest/globals';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { g2aProductId } from '../sandbox/catalog.js';
import { AppConfig } from '../src/config/app-config.js';
import { AvailableStockService } from '../src/orders/available-stock.service.js';
import { type Keyferry, mapGames, startKeyferry } from './support/keyferry.js';

const [ONE, TWO, THREE] = [1, 2, 3].map(g2aProductId) as [number, number, number];
const UNKNOWN = g2aProductId(4);

let keyferry: Keyferry;
let available: AvailableStockService;
let statements: jest.SpiedFunction<DataSource['manager']['query']>;

/** The products of each statement that has counted since. */
const counted = (): unknown[] =>
  statements.mock.calls.flatMap(([sql, parameters]) =>
    sql.includes('control_state') ? [(parameters as unknown[])[0]] : [],
  );

beforeAll(async () => {
  keyferry = await startKeyferry({ cws: { products: 20 } });
  await mapGames(keyferry, [1, 2, 3]);
  await keyferry.sync();
});
afterAll(() => keyferry.stop());

beforeEach(() => {
  const dataSource = keyferry.app.get(DataSource);
  available = new AvailableStockService(dataSource, keyferry.app.get(AppConfig));
  statements = jest.spyOn(dataSource.manager, 'query');
});
afterEach(() => jest.restoreAllMocks());

describe('inventory sizes', () => {
  it('of all who ask while others are counted are counted in one statement, each product once', async () => {
    const first = available.recent([ONE]);
    await nextTurn();
    const others = [[TWO], [THREE, ONE], [TWO, UNKNOWN]].map((ids) => available.recent(ids));
    expect([...(await first)]).toEqual([[ONE, expect.any(Number)]]);
    const [two, threeAndOne, twoAndUnknown] = await Promise.all(others);
    expect(counted()).toEqual([ONE, [TWO, THREE, UNKNOWN]]);
    expect(two!.get(TWO)).toBeGreaterThan(0);
    expect([...threeAndOne!.keys()]).toEqual([THREE, ONE]);
    expect(twoAndUnknown).toEqual(
      new Map([
        [TWO, two!.get(TWO)],
        [UNKNOWN, 0],
      ]),
    );
  });

  it('are not counted again while they are recent', async () => {
    const before = await available.recent([ONE, TWO]);
    expect(await available.recent([TWO, ONE])).toEqual(before);
    expect(counted()).toHaveLength(1);
  });

  it('are counted anew before they are too old, and nobody waits for that', async () => {
    const before = await available.recent([ONE]);
    const now = jest.spyOn(performance, 'now');
    const startedAt = performance.now();
    let fail = (): void => undefined;
    const hanging = new Promise<never>((_resolve, reject) => {
      fail = () => {
        reject(new Error('the database is restarting'));
      };
    });
    statements.mockReturnValueOnce(hanging);
    now.mockReturnValue(startedAt + 4500);
    // The cache reads the clock once in a millisecond.
    await sleep(5);
    expect(await available.recent([ONE])).toEqual(before);
    expect(await available.recent([ONE])).toEqual(before);
    expect(counted()).toHaveLength(2);
    fail();
    now.mockReturnValue(startedAt + 5500);
    await sleep(5);
    expect(await available.recent([ONE])).toEqual(before);
    expect(counted()).toHaveLength(3);
  });

  it('of more products than one statement counts are counted one statement after the other', async () => {
    const ids = Array.from({ length: 250 }, (_, index) => g2aProductId(index + 1));
    let fail = (): void => undefined;
    statements.mockReturnValueOnce(
      new Promise<never>((_resolve, reject) => {
        fail = () => {
          reject(new Error('the database is restarting'));
        };
      }),
    );
    const [first, ...later] = ids.map((id) => available.recent([id]));
    await sleep(50);
    expect(counted()).toEqual([ids.slice(0, 100)]);
    fail();
    await expect(first).rejects.toThrow('the database is restarting');
    await Promise.allSettled(later);
    expect(counted()).toEqual([ids.slice(0, 100), ids.slice(100, 200), ids.slice(200)]);
  });

  it('that could not be counted are counted when they are asked for next', async () => {
    statements.mockRejectedValueOnce(new Error('the database is restarting'));
    await expect(available.recent([ONE])).rejects.toThrow('the database is restarting');
    expect((await available.recent([ONE])).get(ONE)).toBeGreaterThan(0);
  });
});

import { randomUUID } from 'node:crypto';
import { cwsProductId, g2aProductId } from '../sandbox/catalog.js';
import { FetchProductsService } from '../src/sync/fetch-products.service.js';
import { type Keyferry, startKeyferry } from './support/keyferry.js';
import { expectReserved, reservationSteps } from './support/reservation-steps.js';

/** Keys of the products that customers quarrel about. */
const FEW = 8;

let keyferry: Keyferry;
const { tryReserve, expire, restock } = reservationSteps(() => keyferry);

describe('many customers at once', () => {
  beforeAll(async () => {
    keyferry = await startKeyferry({ cws: { products: 40 } });
    await restock(1, 50);
    for (const game of [4, 5]) await restock(game, FEW);
    await keyferry.sync();
  });
  afterAll(() => keyferry.stop());

  it('get each key once: 200 calls for 50 keys', async () => {
    await keyferry.customer.token();
    expectReserved(await Promise.all(Array.from({ length: 200 }, () => tryReserve(1))), 50);
  });

  it('never hold more than there is, whatever they do and however it interleaves', async () => {
    // Mulberry32: the same mix on every run.
    let seed = 20261123;
    const random = (below: number): number => {
      seed = (seed + 0x6d2b79f5) | 0;
      let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
    };
    const known: string[] = [];
    /** One of the latest, which may still be alive. */
    const any = (): string => known.at(-1 - random(8)) ?? randomUUID();
    let orders = 0;
    const act = async (): Promise<number> => {
      const action = random(10);
      if (action < 4) {
        const answer = await keyferry.customer.reserve(
          [4, 5].slice(0, 1 + random(2)).map((game) => ({ productId: g2aProductId(game), quantity: 1 + random(2) })),
        );
        if (answer.ok) known.push(answer.body.reservation_id);
        return answer.status;
      }
      if (action < 6) return (await keyferry.customer.renew(any())).status;
      if (action < 7) return (await keyferry.customer.release(any())).status;
      // Few orders: their keys do not come back.
      if (action < 8 && orders < 3) {
        const { status } = await keyferry.customer.order(any());
        if (status === 202) orders += 1;
        return status;
      }
      await expire(any());
      return 0;
    };
    // By the clock after the snapshot was taken: what replaced an expired hold must not be counted beside it. Compared with what CWS had in the
    // beginning: its later quantities leave out what is bought, whose holds stay until the next pass of the feed.
    const overbooked = (): Promise<unknown[]> =>
      keyferry.sql(
        `SELECT cws_product_id, sum(quantity) AS held FROM stock_holds
         WHERE cws_product_id = ANY ($1) AND (state <> 'reserved' OR expires_at > clock_timestamp())
         GROUP BY 1 HAVING sum(quantity) > $2`,
        [[4, 5].map(cwsProductId), FEW],
      );
    const ask = async (): Promise<number> => {
      await keyferry.app.get(FetchProductsService).fetch([4, 5].map(cwsProductId));
      return 0;
    };
    const statuses = new Map<number, number>();
    for (let round = 0; round < 40; round += 1) {
      const acts = Array.from({ length: 8 }, act);
      // CWS tells what is left after what was bought so far.
      if (round % 5 === 4) acts.push(ask());
      const looks = [overbooked(), overbooked(), overbooked()];
      for (const status of await Promise.all(acts)) statuses.set(status, (statuses.get(status) ?? 0) + 1);
      for (const seen of [...(await Promise.all(looks)), await overbooked()]) expect(seen).toEqual([]);
    }
    expect(Math.max(...statuses.keys())).toBeLessThan(500);
    expect(statuses.get(200)).toBeGreaterThan(20);
    expect(statuses.get(202)).toBeGreaterThan(0);
  });
});

import { jest } from '@jest/globals';
import type { SchedulerRegistry } from '@nestjs/schedule';
import type { AppConfig } from '../config/app-config.js';
import type { LeadershipService } from './leadership.service.js';
import type { SlowLanesService } from './slow-lanes.service.js';
import { SyncClockService } from './sync-clock.service.js';
import type { SyncRoundService } from './sync-round.service.js';

const LANES = 8;
const INTERVAL_SECONDS = 8;

/** The clock of a replica that leads, with steps that note their names. */
function startClock() {
  const begun: string[] = [];
  const step = (name: string) => () => {
    begun.push(name);
    return Promise.resolve();
  };
  const round: Omit<SyncRoundService, 'run'> = {
    readFeed: step('readFeed'),
    sweep: step('sweep'),
    refresh: step('refresh'),
    refreshStored: step('refreshStored'),
    confirmStops: step('confirmStops'),
    confirmChanges: step('confirmChanges'),
    readListing: step('readListing'),
    publish: step('publish'),
    simulate: step('simulate'),
    whenOffersChange: () => undefined,
  };
  const leadership: Partial<LeadershipService> = { isLeader: () => true, campaign: () => Promise.resolve() };
  const slowLanes: Partial<SlowLanesService> = { isOver: () => Promise.resolve() };
  const scheduler: Partial<SchedulerRegistry> = { addInterval: () => undefined };
  const config: Partial<AppConfig> = { syncIntervalSeconds: INTERVAL_SECONDS };
  const clock = new SyncClockService(
    config as AppConfig,
    scheduler as SchedulerRegistry,
    leadership as LeadershipService,
    slowLanes as SlowLanesService,
    round as SyncRoundService,
  );
  clock.onApplicationBootstrap();
  return { clock, begun };
}

describe('the clock of synchronization', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('begins one lane after the other, each once in an interval', async () => {
    const { begun } = startClock();
    // What a lane wakes is begun with it.
    const inTurn = [
      'refresh',
      'publish',
      'readFeed',
      'sweep',
      'confirmStops',
      'confirmChanges',
      'readListing',
      'simulate',
    ];
    const first: string[] = [];
    for (let turn = 0; turn < 2 * LANES; turn += 1) {
      begun.length = 0;
      await jest.advanceTimersByTimeAsync((INTERVAL_SECONDS * 1000) / LANES);
      first.push(begun[0]!);
    }
    expect(first).toEqual([...inTurn, ...inTurn]);
  });

  it('asks what reservations have changed once in an interval, however often pricing is woken', async () => {
    const { clock, begun } = startClock();
    await jest.advanceTimersByTimeAsync(INTERVAL_SECONDS * 1000);
    clock.wakeMarket();
    await jest.advanceTimersByTimeAsync(1);
    expect(begun.filter((name) => name === 'refresh')).toHaveLength(1);
    expect(begun.filter((name) => name === 'refreshStored').length).toBeGreaterThan(1);
    await jest.advanceTimersByTimeAsync(INTERVAL_SECONDS * 1000);
    expect(begun.filter((name) => name === 'refresh')).toHaveLength(2);
  });
});

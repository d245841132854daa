import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { AppConfig } from '../config/app-config.js';
import { settlesWithin } from '../jobs/settles-within.js';
import type { LaneName } from './lanes.rules.js';
import { LeadershipService } from './leadership.service.js';
import { OneAtATime } from './one-at-a-time.js';
import { SlowLanesService } from './slow-lanes.service.js';
import { SyncRoundService } from './sync-round.service.js';

const INTERVAL_NAME = 'sync';
const LEADERSHIP_INTERVAL_NAME = 'sync leadership';
/** How often a replica looks whether the lead is free, or its own lease due for renewal. */
const STANDBY_MS = 1000;
/** How long a shutdown waits for what is under way; supervisors give 10 s for everything. */
const SHUTDOWN_PATIENCE_MS = 5000;

/** Runs each lane of synchronization every SYNC_INTERVAL_SECONDS on the replica that leads: none of them ever twice at once. */
@Injectable()
export class SyncClockService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly lanes: ReadonlyMap<LaneName, OneAtATime>;
  private readonly pricing: OneAtATime;
  /** Whether the next run of `pricing` asks what reservations have changed: once in each of its turns is enough. */
  private isHoldsLookDue = true;
  private readonly publishing: OneAtATime;
  /** A whole round publishes in its own turn. */
  private isInRound = false;

  constructor(
    private readonly config: AppConfig,
    private readonly scheduler: SchedulerRegistry,
    private readonly leadership: LeadershipService,
    private readonly slowLanes: SlowLanesService,
    private readonly round: SyncRoundService,
  ) {
    const wakePricing = (): Promise<void> => {
      this.wakeMarket();
      return Promise.resolve();
    };
    const wakePublisher = (): Promise<void> => {
      void this.publishing.run();
      return Promise.resolve();
    };
    this.publishing = this.lane('publishing', round.publish);
    // Some changes wait for the end of pricing; those that stop a loss go as soon as they are known.
    const refresh = (): Promise<void> => {
      const step = this.isHoldsLookDue ? round.refresh : round.refreshStored;
      this.isHoldsLookDue = false;
      return step();
    };
    this.pricing = this.lane('pricing', refresh, wakePublisher);
    round.whenOffersChange(() => {
      if (!this.isInRound) void this.publishing.run();
    });
    this.lanes = new Map<LaneName, OneAtATime>([
      ['pricing', this.pricing],
      ['publishing', this.publishing],
      ['supply', this.lane('supply', round.readFeed, wakePricing)],
      ['sweep', this.lane('sweep', round.sweep, wakePricing)],
      ['stops', this.lane('stops', round.confirmStops, wakePublisher)],
      ['confirmation', this.lane('confirmation', round.confirmChanges, wakePublisher, wakePricing)],
      ['listing', this.lane('listing', round.readListing, wakePublisher, wakePricing)],
      ['simulation', this.lane('simulation', round.simulate)],
    ]);
  }

  onApplicationBootstrap(): void {
    // One after the other: all at the same moment they would have the database to themselves while customers wait.
    const lanes = [...this.lanes];
    let turn = 0;
    const clock = setInterval(
      () => {
        this.runLanes(lanes.slice(turn, turn + 1));
        turn = (turn + 1) % lanes.length;
      },
      (this.config.syncIntervalSeconds * 1000) / lanes.length,
    );
    this.scheduler.addInterval(INTERVAL_NAME, clock);
    const leadership = setInterval(() => void this.lead(), STANDBY_MS);
    this.scheduler.addInterval(LEADERSHIP_INTERVAL_NAME, leadership);
    void this.lead();
  }

  /** Stops the clock, waits for what is under way, within reason, and lets another replica lead. */
  async onModuleDestroy(): Promise<void> {
    for (const name of [INTERVAL_NAME, LEADERSHIP_INTERVAL_NAME]) {
      if (this.scheduler.doesExist('interval', name)) this.scheduler.deleteInterval(name);
    }
    this.leadership.stepDown();
    // What is still under way then may yet reach G2A: the lease has to run out.
    if (await settlesWithin(this.settled(), SHUTDOWN_PATIENCE_MS)) await this.leadership.handOver();
  }

  /** One whole round in sequence, once the lanes have come to rest. Does nothing where another replica leads, and never rejects. */
  async tick(): Promise<void> {
    await this.leadership.campaign();
    await this.settled();
    this.isInRound = true;
    try {
      await this.round.run();
    } finally {
      this.isInRound = false;
    }
  }

  /** Somebody has stored something new: if this replica leads, offers follow it now and not with the next tick. */
  wakeMarket(): void {
    void this.pricing.run();
  }

  private async lead(): Promise<void> {
    const wasLeader = this.leadership.isLeader();
    await this.leadership.campaign();
    if (!wasLeader && this.leadership.isLeader()) this.runLanes(this.lanes);
  }

  private runLanes(lanes: Iterable<readonly [LaneName, OneAtATime]>): void {
    if (!this.leadership.isLeader()) return;
    for (const [name, lane] of lanes) {
      if (name === 'pricing') this.isHoldsLookDue = true;
      if (lane.runningForMs === null) void lane.run();
      else void this.slowLanes.stillRuns(name, lane.runningForMs);
    }
  }

  private lane(name: LaneName, ...steps: (() => Promise<void>)[]): OneAtATime {
    return new OneAtATime(async () => {
      for (const step of steps) await step();
      await this.slowLanes.isOver(name);
    });
  }

  private async settled(): Promise<void> {
    // Others end with waking these, and pricing wakes the publisher.
    await Promise.all([...this.lanes.values()].map((lane) => lane.settled()));
    await this.pricing.settled();
    await this.publishing.settled();
  }
}

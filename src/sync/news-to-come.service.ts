import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { isAnyQueued } from '../catalog/repricings.queries.js';
import { AppConfig } from '../config/app-config.js';
import { DesiredStateService } from './desired-state.service.js';
import { FeedService } from './feed.service.js';
import { HoldClock } from './hold-clock.rules.js';
import { isFeedBehindSweep } from './unannounced-changes.queries.js';

/** Better prices do not wait longer for what may turn up: twice what a pass takes that reads and prices 10,000 changes. */
const LONGEST_HOLD_MS = 30_000;
/** While a better price waits the publisher looks at least this often, or twice in a long interval: several lanes wake it. */
const LOOKS_APART_MS = 15_000;
/** After so long without news some of what waited could be sent. */
const QUIET_MS = 1000;

/** Whether a better price should wait. Of many changes that come at once, those that stop a loss are to go first. */
@Injectable()
export class NewsToComeService {
  private readonly clock: HoldClock;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly feed: FeedService,
    private readonly desired: DesiredStateService,
    config: AppConfig,
  ) {
    this.clock = new HoldClock({
      longestMs: LONGEST_HOLD_MS,
      looksApartMs: Math.max(LOOKS_APART_MS, (config.syncIntervalSeconds / 2) * 1000),
      quietMs: QUIET_MS,
    });
  }

  /** Whether there may be news that are more urgent, on a later page or not priced yet. For 30 s at most. */
  async isMoreToCome(): Promise<boolean> {
    const { manager } = this.dataSource;
    // In the order in which news go on, so that there is no gap in between: what the feed has announced is queued in the same moment, and
    // leaves the queue with its prices.
    const isMore =
      (await isFeedBehindSweep(manager)) ||
      this.feed.isMidPass ||
      (await isAnyQueued(manager)) ||
      this.desired.isRefreshing;
    return this.clock.isHeld(isMore, performance.now());
  }
}

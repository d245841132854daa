import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { isAnyQueued } from '../catalog/repricings.queries.js';
import { ConfirmStopsService } from './confirm-stops.service.js';
import { DesiredStateService } from './desired-state.service.js';
import { FeedService } from './feed.service.js';
import { PublishOffersService } from './publish-offers.service.js';
import { Reachability } from './reachability.js';
import { ReconcileOffersService } from './reconcile-offers.service.js';
import { isFeedBehindSweep } from './unannounced-changes.queries.js';

/** Better prices do not wait longer for what may turn up: twice what a pass takes that reads and prices 10,000 changes. */
const LONGEST_HOLD_MS = 30_000;
/** While a better price waits the publisher looks at least once in an interval; what it finds after a longer pause has nothing to do with before. */
const LOOKS_APART_MS = 15_000;

/** The steps of synchronization that ask G2A. Trouble with it is alerted, not thrown. */
@Injectable()
export class MarketStepsService {
  private readonly g2a: Reachability;
  /** Since when (`performance.now()`) more was to come at each look; null: at the last one nothing was. */
  private heldSinceMs: number | null = null;
  private lookedAtMs = -Infinity;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    alerts: AlertsService,
    private readonly stops: ConfirmStopsService,
    private readonly reconcile: ReconcileOffersService,
    private readonly publisher: PublishOffersService,
    private readonly feed: FeedService,
    private readonly desired: DesiredStateService,
  ) {
    this.g2a = new Reachability('g2a_unreachable', alerts);
  }

  /** Whether offers that were switched off are. */
  async confirmStops(): Promise<void> {
    await this.g2a.during('stops', () => this.stops.confirmDue());
  }

  /** Whether other changes have arrived, when it is time to ask. */
  async confirmChanges(): Promise<void> {
    await this.g2a.during('confirmation', () => this.reconcile.confirmIfDue());
  }

  /** What G2A shows, when it is time to look at all of it. */
  async readListing(): Promise<void> {
    await this.g2a.during('listing', () => this.reconcile.readIfDue());
  }

  /** Closes the difference between what offers should show and what G2A shows. */
  async publish(): Promise<void> {
    await this.g2a.during('publish', async () => (await this.publisher.publish(() => this.isMoreToCome())) > 0);
  }

  /** Of many changes that come at once, those that stop a loss are to go first: they may be on a later page, or not priced yet. */
  private async isMoreToCome(): Promise<boolean> {
    const { manager } = this.dataSource;
    // In the order in which news go on, so that there is no gap in between: what the feed has announced is queued in the same moment, and
    // leaves the queue with its prices.
    const isMore =
      (await isFeedBehindSweep(manager)) ||
      this.feed.isMidPass ||
      (await isAnyQueued(manager)) ||
      this.desired.isRefreshing;
    const now = performance.now();
    const isSameHold = this.heldSinceMs !== null && now - this.lookedAtMs < LOOKS_APART_MS;
    this.lookedAtMs = now;
    if (!isMore) this.heldSinceMs = null;
    else if (!isSameHold) this.heldSinceMs = now;
    return this.heldSinceMs !== null && now - this.heldSinceMs < LONGEST_HOLD_MS;
  }
}

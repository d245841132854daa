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

/** The steps of synchronization that ask G2A. Trouble with it is alerted, not thrown. */
@Injectable()
export class MarketStepsService {
  private readonly g2a: Reachability;
  /** Since when (`performance.now()`) something was found waiting to be priced at each look; null: nothing is. */
  private queuedSinceMs: number | null = null;
  /** The same of so many changes found by the sweep that the feed is about to tell of more. */
  private feedBehindSinceMs: number | null = null;

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
    const [isQueued, isFeedBehind] = await Promise.all([isAnyQueued(manager), isFeedBehindSweep(manager)]);
    // What a pass has stored is queued in the same moment, and leaves the queue with its prices: there is no gap in between.
    this.queuedSinceMs = isQueued ? (this.queuedSinceMs ?? performance.now()) : null;
    this.feedBehindSinceMs = isFeedBehind ? (this.feedBehindSinceMs ?? performance.now()) : null;
    const beganMs = [
      this.feed.midPassSinceMs,
      this.desired.refreshingSinceMs,
      this.queuedSinceMs,
      this.feedBehindSinceMs,
    ];
    return beganMs.some((sinceMs) => sinceMs !== null && sinceMs > performance.now() - LONGEST_HOLD_MS);
  }
}

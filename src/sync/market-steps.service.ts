import { Injectable } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import { ConfirmStopsService } from './confirm-stops.service.js';
import { DesiredStateService } from './desired-state.service.js';
import { FeedService } from './feed.service.js';
import { PublishOffersService } from './publish-offers.service.js';
import { Reachability } from './reachability.js';
import { ReconcileOffersService } from './reconcile-offers.service.js';

/** Better prices do not wait longer for what may turn up. */
const LONGEST_HOLD_MS = 15_000;

/** The steps of synchronization that ask G2A. Trouble with it is alerted, not thrown. */
@Injectable()
export class MarketStepsService {
  private readonly g2a: Reachability;

  constructor(
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

  /** What G2A shows, when it is time to look. */
  async readListing(): Promise<void> {
    await this.g2a.during('listing', () => this.reconcile.readIfDue());
  }

  /** Closes the difference between what offers should show and what G2A shows. */
  async publish(): Promise<void> {
    await this.g2a.during('publish', async () => (await this.publisher.publish(() => this.isMoreToCome())) > 0);
  }

  /** Of many changes that come at once, those that stop a loss are to go first: they may be on a later page, or not priced yet. */
  private isMoreToCome(): boolean {
    const sinceMs = Math.max(this.feed.midPassSinceMs ?? -Infinity, this.desired.refreshingSinceMs ?? -Infinity);
    return sinceMs > performance.now() - LONGEST_HOLD_MS;
  }
}

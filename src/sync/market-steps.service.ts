import { Injectable } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import { ConfirmStopsService } from './confirm-stops.service.js';
import { NewsToComeService } from './news-to-come.service.js';
import { PublishOffersService } from './publish-offers.service.js';
import { Reachability } from './reachability.js';
import { ReconcileOffersService } from './reconcile-offers.service.js';

/** The steps of synchronization that ask G2A. Trouble with it is alerted, not thrown. */
@Injectable()
export class MarketStepsService {
  private readonly g2a: Reachability;

  constructor(
    alerts: AlertsService,
    private readonly stops: ConfirmStopsService,
    private readonly reconcile: ReconcileOffersService,
    private readonly publisher: PublishOffersService,
    private readonly news: NewsToComeService,
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
    await this.g2a.during('publish', async () => (await this.publisher.publish(() => this.news.isMoreToCome())) > 0);
  }
}

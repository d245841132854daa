import { Injectable } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import { PublishOffersService } from './publish-offers.service.js';
import { Reachability } from './reachability.js';
import { ReconcileOffersService } from './reconcile-offers.service.js';

/** The steps of synchronization that ask G2A. Trouble with it is alerted, not thrown. */
@Injectable()
export class MarketStepsService {
  private readonly g2a: Reachability;

  constructor(
    alerts: AlertsService,
    private readonly reconcile: ReconcileOffersService,
    private readonly publisher: PublishOffersService,
  ) {
    this.g2a = new Reachability('g2a_unreachable', alerts);
  }

  /** What G2A shows, when it is time to look. */
  async readListing(): Promise<void> {
    await this.g2a.during('listing', () => this.reconcile.readIfDue());
  }

  /** Closes the difference between what offers should show and what G2A shows. */
  async publish(): Promise<void> {
    await this.g2a.during('publish', async () => (await this.publisher.publish()) > 0);
  }
}

import { Injectable } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import { FeedService } from './feed.service.js';
import { Reachability } from './reachability.js';
import { SweepService } from './sweep.service.js';
import { UnconfirmedPricesService } from './unconfirmed-prices.service.js';

/** The steps of synchronization that ask CWS. Trouble with it is alerted, not thrown. */
@Injectable()
export class SupplyStepsService {
  private readonly cws: Reachability;

  constructor(
    alerts: AlertsService,
    private readonly feed: FeedService,
    private readonly sweeper: SweepService,
    private readonly unconfirmedPrices: UnconfirmedPricesService,
  ) {
    this.cws = new Reachability('cws_unreachable', alerts);
  }

  /** What changed since the last pass. */
  async readFeed(): Promise<void> {
    await this.cws.during('feed', () => this.feed.readFeed());
    await this.unconfirmedPrices.report();
    await this.feed.forgetSpentHolds();
  }

  /** Mapped products by id: nobody guarantees the feed. */
  async sweep(): Promise<void> {
    await this.cws.during('sweep', () => this.sweeper.sweep());
  }
}

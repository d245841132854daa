import { Injectable } from '@nestjs/common';
import { type AlertKind, AlertsService } from '../alerts/alerts.service.js';
import { ControlService, type PauseReason } from '../control/control.service.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { DesiredStateService, type PricedOffers } from './desired-state.service.js';
import { PublishOffersService } from './publish-offers.service.js';
import { ReconcileOffersService } from './reconcile-offers.service.js';
import { SimulatePricesService } from './simulate-prices.service.js';
import { SupplierFeedService } from './supplier-feed.service.js';
import { UnconfirmedPricesService } from './unconfirmed-prices.service.js';

/** What this round has learned about one side; untouched when it was not asked anything. */
class Reachability {
  private wasAsked = false;
  private failure: UpstreamError | null = null;

  /** Trouble with one side must not keep the other side from being looked after: it is noted, not thrown. */
  async during(work: () => Promise<boolean>): Promise<void> {
    try {
      if (await work()) this.wasAsked = true;
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      // No room in the request budget is no trouble: the next round goes on.
      if (error.kind !== 'retry_after') this.failure = error;
    }
  }

  async tell(alerts: AlertsService, kind: AlertKind): Promise<void> {
    if (this.failure !== null) await alerts.raise(kind, '', this.failure.message);
    else if (this.wasAsked) await alerts.clear(kind);
  }
}

/** One round of synchronization: supplier, desired state, marketplace. */
@Injectable()
export class SyncRoundService {
  constructor(
    private readonly control: ControlService,
    private readonly alerts: AlertsService,
    private readonly feed: SupplierFeedService,
    private readonly unconfirmedPrices: UnconfirmedPricesService,
    private readonly reconcile: ReconcileOffersService,
    private readonly desired: DesiredStateService,
    private readonly publisher: PublishOffersService,
    private readonly simulator: SimulatePricesService,
  ) {}

  /** Runs the round. Trouble with CWS or G2A is alerted, not thrown. */
  async run(): Promise<void> {
    const pauseReason = await this.control.pauseReason();
    if (pauseReason !== null && !this.control.deactivatesOffersWhilePaused) return;
    const cws = new Reachability();
    const g2a = new Reachability();
    // A mapping that was disabled or deleted, or a pause, stops its offers before anything else is asked of anybody.
    await this.publish(pauseReason, g2a);
    if (pauseReason === null) {
      await cws.during(() => this.feed.sweep());
      await cws.during(() => this.feed.readFeed());
    }
    await g2a.during(() => this.reconcile.readIfDue());
    const { offers, input } = await this.publish(pauseReason, g2a);
    if (pauseReason === null) await this.simulator.simulate(offers, input);
    await this.feed.forgetSpentHolds();
    await this.unconfirmedPrices.report();
    await cws.tell(this.alerts, 'cws_unreachable');
    await g2a.tell(this.alerts, 'g2a_unreachable');
  }

  private async publish(pauseReason: PauseReason, g2a: Reachability): Promise<PricedOffers> {
    const priced = await this.desired.refresh(pauseReason);
    await g2a.during(async () => (await this.publisher.publish()) > 0);
    return priced;
  }
}

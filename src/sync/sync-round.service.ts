import { Injectable } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import { ControlService, type PauseReason } from '../control/control.service.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { DesiredStateService } from './desired-state.service.js';
import { PublishOffersService } from './publish-offers.service.js';
import { ReconcileOffersService } from './reconcile-offers.service.js';
import { SupplierFeedService } from './supplier-feed.service.js';

/** One round of synchronization: supplier, desired state, marketplace. */
@Injectable()
export class SyncRoundService {
  constructor(
    private readonly control: ControlService,
    private readonly alerts: AlertsService,
    private readonly feed: SupplierFeedService,
    private readonly reconcile: ReconcileOffersService,
    private readonly desired: DesiredStateService,
    private readonly publisher: PublishOffersService,
  ) {}

  /** Runs the round. Trouble with CWS or G2A is alerted, not thrown: the other side is still looked after. */
  async run(): Promise<void> {
    const pauseReason = await this.control.pauseReason();
    if (pauseReason !== null && !this.control.deactivatesOffersWhilePaused) return;
    // A mapping that was disabled or deleted, or a pause, stops its offers before anything else is asked of anybody.
    await this.publish(pauseReason);
    if (pauseReason === null) {
      await this.withUpstream('cws_unreachable', async () => {
        await this.feed.sweep();
        await this.feed.readFeed();
      });
    }
    await this.withUpstream('g2a_unreachable', () => this.reconcile.readIfDue());
    await this.publish(pauseReason);
    await this.feed.forgetSpentHolds();
  }

  private async publish(pauseReason: PauseReason): Promise<void> {
    await this.desired.refresh(pauseReason);
    await this.withUpstream('g2a_unreachable', () => this.publisher.publish());
  }

  private async withUpstream(
    alert: 'cws_unreachable' | 'g2a_unreachable',
    work: () => Promise<unknown>,
  ): Promise<void> {
    try {
      await work();
      await this.alerts.clear(alert);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      await this.alerts.raise(alert, '', error.message);
    }
  }
}

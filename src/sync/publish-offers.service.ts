import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import {
  abandonedOffers,
  forgetOffer,
  offersToPublish,
  recordAccepted,
  recordFailure,
  recordNotSent,
  recordSending,
} from '../catalog/offers.queries.js';
import { G2aClient } from '../g2a/g2a-client.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { byRisk, planChange, type PlannedChange } from './publish.rules.js';

/** PATCH requests under way at once. */
const CONCURRENCY = 16;
/** Failures in a row after which a person is told. */
const FAILURES_BEFORE_ALERT = 5;

const NOT_FOUND = 404;

/** Closes the difference between what offers should show and what G2A shows, most urgent first. */
@Injectable()
export class PublishOffersService {
  private readonly logger = new Logger(PublishOffersService.name);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly g2a: G2aClient,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * Sends one PATCH per offer that differs.
   * @returns how many were accepted.
   * @throws UpstreamError when G2A cannot be reached or has had enough: the rest waits for the next call.
   */
  async publish(): Promise<number> {
    const offers = await offersToPublish(this.dataSource.manager);
    const queue = offers
      .flatMap((offer) => planChange(offer) ?? [])
      .sort(byRisk)
      .values();
    let accepted = 0;
    // All workers draw from one iterator, so the order of risk holds across them.
    const work = async (): Promise<void> => {
      for (const planned of queue) if (await this.send(planned)) accepted += 1;
    };
    const results = await Promise.allSettled(Array.from({ length: CONCURRENCY }, work));
    for (const g2aOfferId of await abandonedOffers(this.dataSource.manager)) {
      await forgetOffer(this.dataSource.manager, g2aOfferId, 'mapping deleted, offer switched off');
    }
    if (accepted > 0) this.logger.log(`${accepted} offers updated on G2A`);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return accepted;
  }

  private async send({ g2aOfferId, change }: PlannedChange): Promise<boolean> {
    const { manager } = this.dataSource;
    await recordSending(manager, g2aOfferId, change);
    try {
      await this.g2a.updateOffer(g2aOfferId, {
        retailPrice: change.priceCents,
        businessPrice: change.priceCents,
        size: change.size,
        isActive: change.isActive,
      });
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      await this.fail(g2aOfferId, error);
      return false;
    }
    if (await recordAccepted(manager, g2aOfferId)) await this.alerts.clear('offer_failing', g2aOfferId);
    return true;
  }

  /** One offer's trouble is its own; trouble with G2A as a whole is everybody's and stops this run. */
  private async fail(g2aOfferId: string, error: UpstreamError): Promise<void> {
    const { manager } = this.dataSource;
    if (error.kind === 'retry_after') {
      await recordNotSent(manager, g2aOfferId);
      throw error;
    }
    if (error.status === NOT_FOUND) {
      await forgetOffer(manager, g2aOfferId, 'gone at G2A');
      return;
    }
    const failures = await recordFailure(manager, g2aOfferId, error.message);
    if (failures >= FAILURES_BEFORE_ALERT) {
      await this.alerts.raise('offer_failing', g2aOfferId, `failed ${failures} times in a row: ${error.message}`);
    }
    if (error.status === undefined) throw error;
  }
}

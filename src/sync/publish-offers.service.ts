import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import {
  type OfferToPublish,
  offersToPublish,
  recordFailure,
  recordNotSent,
  recordSending,
} from '../catalog/offer-changes.queries.js';
import { abandonedOffers, forgetOffer } from '../catalog/offers.queries.js';
import { keepAcceptedPrices, keepCostOfOldPrices } from '../catalog/price-history.queries.js';
import { G2aClient } from '../g2a/g2a-client.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { FailingOffersService } from './failing-offers.service.js';
import { byRisk, planChange, type PlannedChange } from './publish.rules.js';

/** PATCH requests under way at once. */
const CONCURRENCY = 16;
/** Longest run of one call. */
const PUBLISH_SLICE_MS = 5000;

const NOT_FOUND = 404;

/** A change with the offer that it was planned for. */
type ChangeToSend = PlannedChange & { readonly offer: OfferToPublish };

/** Closes the difference between what offers should show and what G2A shows, most urgent first. */
@Injectable()
export class PublishOffersService implements OnModuleDestroy {
  private readonly logger = new Logger(PublishOffersService.name);
  private isStopping = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly g2a: G2aClient,
    private readonly failing: FailingOffersService,
  ) {}

  /**
   * Sends one PATCH per offer that differs, for at most PUBLISH_SLICE_MS: what the rest should show is looked at anew before
   * it is sent, so that a long queue never sends what has become wrong meanwhile.
   * @returns how many were accepted.
   * @throws UpstreamError when G2A cannot be reached or has had enough: the rest waits for the next call.
   */
  async publish(): Promise<number> {
    const offers = await offersToPublish(this.dataSource.manager);
    const queue = offers
      .flatMap((offer): ChangeToSend[] => {
        const planned = planChange(offer);
        return planned === null ? [] : [{ ...planned, offer }];
      })
      .sort(byRisk)
      .values();
    const endsAtMs = performance.now() + PUBLISH_SLICE_MS;
    let accepted = 0;
    // All workers draw from one iterator, so the order of risk holds across them.
    const work = async (): Promise<void> => {
      for (const planned of queue) {
        if (await this.send(planned)) accepted += 1;
        if (this.isStopping || performance.now() >= endsAtMs) return;
      }
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

  /** The process is about to end: sends nothing more. */
  onModuleDestroy(): void {
    this.isStopping = true;
  }

  private async send({ g2aOfferId, change, offer }: ChangeToSend): Promise<boolean> {
    const { manager } = this.dataSource;
    if (!(await recordSending(manager, g2aOfferId, change))) return false;
    const isPriceSent = change.retailPriceCents !== undefined || change.businessPriceCents !== undefined;
    try {
      await this.g2a.updateOffer(g2aOfferId, {
        retailPrice: change.retailPriceCents,
        businessPrice: change.businessPriceCents,
        size: change.size,
        isActive: change.isActive,
      });
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      await this.fail(g2aOfferId, error);
      if (error.kind === 'rejected' && isPriceSent) await keepCostOfOldPrices(manager, offer);
      return false;
    }
    if (offer.desired.isActive) await keepAcceptedPrices(manager, offer, isPriceSent);
    return true;
  }

  /** One offer's trouble is its own; trouble with G2A as a whole is everybody's and stops this run. */
  private async fail(g2aOfferId: string, error: UpstreamError): Promise<void> {
    const { manager } = this.dataSource;
    if (error.kind === 'retry_after') {
      await recordNotSent(manager, g2aOfferId);
      throw error;
    }
    // Only G2A's own word: a proxy's 404 says nothing about the offer.
    if (error.status === NOT_FOUND && error.kind === 'rejected') {
      await forgetOffer(manager, g2aOfferId, 'gone at G2A');
      return;
    }
    const failures = await recordFailure(manager, g2aOfferId, error.message);
    await this.failing.report({ g2aOfferId, failureCount: failures, lastError: error.message, isRecovered: false });
    if (error.status === undefined) throw error;
  }
}

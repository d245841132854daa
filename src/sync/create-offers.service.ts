import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { mappingStock } from '../catalog/mapping-stock.queries.js';
import {
  creationJobs,
  productsToCreate,
  recordCreating,
  recordCreationJob,
  recordCreationNotSent,
  recordNotCreated,
  recordUnclearCreation,
  settleCreations,
} from '../catalog/offer-creations.queries.js';
import { AppConfig } from '../config/app-config.js';
import { ControlService } from '../control/control.service.js';
import { G2aClient } from '../g2a/g2a-client.js';
import type { NewOffer } from '../g2a/g2a.types.js';
import type { TakenRoom } from '../g2a/taken-room.js';
import type { CallLimits } from '../upstream/upstream-client.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { desiredStateInput } from './desired-state-input.js';
import { type DesiredStateInput, saneDesiredState } from './desired-state.rules.js';
import { withoutOffer } from './explain-price.service.js';
import { LeadershipService } from './leadership.service.js';
import { ReadListingService } from './read-listing.service.js';
import { isAboutTheQuestion } from './upstream-trouble.rules.js';

/** Jobs asked about, and offers asked for, in one call. */
const MAX_PER_CALL = 20;
const JOB_LIMITS: CallLimits = { priority: 'upkeep', timeoutMs: 3000, retries: 0, maxWaitMs: 0 };
/** Nothing of it may wait: its price was decided for now. */
const CREATE_LIMITS: CallLimits = { priority: 'bulk', maxWaitMs: 0 };
/** What could not be sent within this time (no token) may be wrong by now. */
const SEND_WITHIN_MS = 2000;
/** So many jobs in a row without an answer are trouble with G2A, not with some jobs. */
const MAX_JOB_FAILURES = 3;

/** With CREATE_MISSING_OFFERS: gives mapped products an offer that have none, never two of them. */
@Injectable()
export class CreateOffersService {
  private readonly logger = new Logger(CreateOffersService.name);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly control: ControlService,
    private readonly g2a: G2aClient,
    private readonly alerts: AlertsService,
    private readonly listing: ReadListingService,
    private readonly leadership: LeadershipService,
  ) {}

  /**
   * Follows the creations under way, and begins others for products that can be sold now.
   * @param missing products of which the whole listing, read at `listedAt`, shows no offer.
   * @throws UpstreamError when G2A cannot be reached or has no room.
   */
  async proceed(missing: ReadonlySet<number>, listedAt: Date): Promise<void> {
    if (!this.config.createMissingOffers) return;
    const { manager } = this.dataSource;
    const trouble = await this.followAll();
    if (missing.size > 0) await settleCreations(manager, [...missing], listedAt);
    if (trouble !== null) throw trouble;
    if (missing.size === 0) return;
    const products = await productsToCreate(manager, [...missing], MAX_PER_CALL);
    for (const product of products) {
      // What is asked for is decided when there is room to ask for it; whatever cannot be sold should not take any.
      if ((await this.sellable(product)) === null) continue;
      const room = await this.g2a.roomForUpdate(CREATE_LIMITS);
      const offer = await this.sellable(product);
      const sendUntilMs = performance.now() + SEND_WITHIN_MS;
      if (!this.leadership.isLeader()) return;
      if (offer !== null && (await recordCreating(manager, product))) {
        await this.create(product, offer, room, sendUntilMs);
      }
    }
  }

  /**
   * One creation whose job or offer cannot be read does not hold up the others.
   * @returns trouble with G2A as a whole; null where there is none.
   */
  private async followAll(): Promise<UpstreamError | null> {
    let failuresInRow = 0;
    for (const { g2aProductId, jobId } of await creationJobs(this.dataSource.manager, MAX_PER_CALL)) {
      try {
        await this.follow(g2aProductId, jobId);
        failuresInRow = 0;
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        failuresInRow += 1;
        if (error.kind !== 'retry' || failuresInRow === MAX_JOB_FAILURES) return error;
      }
    }
    return null;
  }

  /** What the offer of a product shall show, by what is known now; null while it cannot be sold. */
  private async sellable(g2aProductId: number): Promise<NewOffer | null> {
    const { manager } = this.dataSource;
    const { input: now } = await desiredStateInput(manager, this.config, await this.control.pauseReason());
    // G2A's word about its fees is asked for offers only: the first price is that of the configured fee.
    const input: DesiredStateInput = { ...now, priceSimulation: now.priceSimulation === 'off' ? 'off' : 'sample' };
    const mapping = await mappingStock(manager, g2aProductId);
    const { desired } = saneDesiredState(withoutOffer(g2aProductId, mapping), input);
    const { isActive, priceCents, businessPriceCents, size } = desired;
    if (!isActive || priceCents === null || businessPriceCents === null) return null;
    return { retailPrice: priceCents, businessPrice: businessPriceCents, size };
  }

  private async create(g2aProductId: number, offer: NewOffer, room: TakenRoom, sendUntilMs: number): Promise<void> {
    const { manager } = this.dataSource;
    try {
      const created = await this.g2a.createOffer(g2aProductId, offer, {
        ...CREATE_LIMITS,
        room,
        beforeSend: () => {
          if (this.leadership.isLeader() && performance.now() < sendUntilMs) return;
          throw new UpstreamError({
            system: 'g2a',
            kind: 'retry_after',
            subject: 'POST /v3/sales/offers',
            reason: 'too late to send it',
          });
        },
      });
      if ('existingOfferId' in created) await this.follow(g2aProductId, null, created.existingOfferId);
      else if (created.jobId !== null) await recordCreationJob(manager, g2aProductId, created.jobId);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (error.kind === 'retry_after') await recordCreationNotSent(manager, g2aProductId);
      else if (error.kind === 'unknown') await recordUnclearCreation(manager, g2aProductId, error.message);
      else await this.fail(g2aProductId, error.message);
      if (error.isRetryable) throw error;
    }
  }

  /** Learns from its job, unless it is known already, which offer was created, and follows that. */
  private async follow(g2aProductId: number, jobId: string | null, knownOfferId?: string): Promise<void> {
    const offerId = knownOfferId ?? (jobId === null ? null : await this.createdBy(g2aProductId, jobId));
    if (offerId === null) return;
    const outcome = await this.lookAt(offerId, g2aProductId);
    if (outcome === 'followed') {
      this.logger.log(`offer ${offerId} of G2A product ${g2aProductId} is followed from now on`);
      await this.alerts.clear('offer_not_created', String(g2aProductId));
    } else if (outcome === 'not_ours') {
      const message = `G2A names its offer ${offerId}, which is no dropshipping offer of this product`;
      await this.fail(g2aProductId, message);
    }
  }

  // Its job is asked no more: the whole listing will tell, or lack it.
  private async lookAt(offerId: string, g2aProductId: number): Promise<'followed' | 'not_ours' | 'gone' | 'unclear'> {
    try {
      return await this.listing.readOne(offerId, g2aProductId);
    } catch (error) {
      if (!isAboutTheQuestion(error)) throw error;
      await recordUnclearCreation(this.dataSource.manager, g2aProductId, error.message);
      await this.alerts.raise('offer_unreadable', offerId, `created for product ${g2aProductId}: ${error.message}`);
      return 'unclear';
    }
  }

  /** Null: nobody knows yet, or it came to nothing. */
  private async createdBy(g2aProductId: number, jobId: string): Promise<string | null> {
    try {
      const job = await this.g2a.job(jobId, JOB_LIMITS);
      const failed = job.elements.find((element) => element.state === 'failed');
      if (failed !== undefined || job.state === 'failed') {
        await this.fail(g2aProductId, `its job failed: ${failed?.code ?? ''} ${failed?.message ?? ''}`.trim());
        return null;
      }
      return job.state === 'completed' ? (job.elements[0]?.resourceId ?? null) : null;
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (error.isRetryable) throw error;
      await recordUnclearCreation(this.dataSource.manager, g2aProductId, error.message);
      return null;
    }
  }

  private async fail(g2aProductId: number, message: string): Promise<void> {
    await recordNotCreated(this.dataSource.manager, g2aProductId, message);
    await this.alerts.raise('offer_not_created', String(g2aProductId), message);
  }
}

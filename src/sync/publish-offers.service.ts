import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import {
  type OfferToPublish,
  type PendingChange,
  recordFailure,
  recordNotSent,
  recordSending,
  type SentChange,
} from '../catalog/offer-changes.queries.js';
import { recordStopJob } from '../catalog/offer-stops.queries.js';
import { abandonedOffers } from '../catalog/offers.queries.js';
import { keepAcceptedPrices, keepCostOfOldPrices } from '../catalog/price-history.queries.js';
import { AppConfig } from '../config/app-config.js';
import { G2aClient } from '../g2a/g2a-client.js';
import type { TakenRoom } from '../g2a/taken-room.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { FailingOffersService } from './failing-offers.service.js';
import { LeadershipService } from './leadership.service.js';
import { planChange, requestPriority } from './publish.rules.js';
import { PublishQueue } from './publish-queue.js';

/** PATCH requests under way at once. */
const CONCURRENCY = 32;
/** The same while nobody knows whether G2A answers at all: several, for one of them may be an offer that always hangs. */
const CONCURRENCY_IN_DOUBT = 4;
/** What is spread over the limit's window waits longer than this only where the limit is used up, not for its pace. */
const SPREAD_PATIENCE_MS = 1000;
/** Then, or while nothing but what is under way is to be sent, it looks again this much later. */
const LOOK_AGAIN_MS = 250;
/** Longest run of one call. */
const PUBLISH_SLICE_MS = 5000;
/**
 * One offer that hangs must not hold up the end of a run for long. What fails is read and chosen anew; only a request refused
 * for its token is sent once more, if there is room for it at once.
 */
const PATCH_LIMITS = { timeoutMs: 4000, retries: 0, maxWaitMs: 0 };
/** What could not be sent within this time (no token) may be wrong by now. */
const SEND_WITHIN_MS = 2000;
/** So many failures in a row are trouble with G2A, not with some offers: before anything was accepted, and after. */
const MAX_FAILURES = { atFirst: 3, later: 20 };
/**
 * While G2A has taken no change for so long, failures are not held against the offers: shorter than an offer can fail often enough to be
 * quarantined, or an outage would do that to healthy ones.
 */
const ACCEPTED_LATELY_MS = 2 * 60_000;

const NOT_FOUND = 404;

/** What one run has come to. */
interface Run {
  accepted: number;
  failuresInRow: number;
  /** With G2A, as far as one can tell from single requests. */
  trouble: UpstreamError | null;
  isOver: boolean;
}

/** Closes the difference between what offers should show and what G2A shows, most urgent first. */
@Injectable()
export class PublishOffersService {
  private readonly logger = new Logger(PublishOffersService.name);
  /** The last run ended in trouble without anything accepted: few requests at a time, until one is answered. */
  private isDoubtful = false;
  private lastAcceptedAtMs = -Infinity;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly g2a: G2aClient,
    private readonly failing: FailingOffersService,
    private readonly leadership: LeadershipService,
  ) {}

  /**
   * Sends one PATCH per offer that differs, for at most PUBLISH_SLICE_MS. Which offer comes next, and what it is to show, is
   * decided when there is room for a request: a long queue never sends what has become wrong meanwhile.
   * @param isMoreToCome whether news that may be more urgent are under way: a better price, or stock that nobody notices, waits then.
   * @returns how many were accepted.
   * @throws UpstreamError when G2A cannot be reached or has had enough: the rest waits for the next call.
   */
  async publish(isMoreToCome: () => boolean | Promise<boolean> = () => false): Promise<number> {
    const run: Run = { accepted: 0, failuresInRow: 0, trouble: null, isOver: false };
    await this.sendAll(run, performance.now() + PUBLISH_SLICE_MS, isMoreToCome);
    for (const g2aOfferId of await abandonedOffers(this.dataSource.manager)) {
      await this.failing.forget(g2aOfferId, 'mapping deleted, offer switched off');
    }
    if (run.accepted > 0) this.logger.log(`${run.accepted} offers updated on G2A`);
    this.isDoubtful = run.trouble !== null && run.accepted === 0;
    // What one offer met while others were served is its own affair, and kept with it.
    if (run.trouble !== null && run.accepted === 0) throw run.trouble;
    return run.accepted;
  }

  private async sendAll(run: Run, endsAtMs: number, isMoreToCome: () => boolean | Promise<boolean>): Promise<void> {
    const isDoubtful = (): boolean => this.isDoubtful && run.accepted === 0;
    const queue = new PublishQueue(this.dataSource.manager, {
      lowStock: this.config.lowStock,
      isDoubtful,
      isMoreToCome,
    });
    const underWay = new Map<string, Promise<void>>();
    let failure: Error | undefined;
    const mayGoOn = (): boolean => this.leadership.isLeader() && failure === undefined && performance.now() < endsAtMs;
    try {
      while (mayGoOn() && !run.isOver) {
        if (underWay.size >= (isDoubtful() ? CONCURRENCY_IN_DOUBT : CONCURRENCY)) {
          await Promise.race(underWay.values());
          continue;
        }
        const first = await queue.first(underWay);
        if (first === undefined) {
          if (underWay.size === 0) break;
          // One that hangs must not keep a stop waiting that turns up meanwhile.
          await Promise.race([Promise.all(underWay.values()), sleep(LOOK_AGAIN_MS)]);
          continue;
        }
        const room = await this.roomFor(first, endsAtMs);
        if (room === null) {
          if (requestPriority(first) === 'spare') break;
          await sleep(LOOK_AGAIN_MS);
          continue;
        }
        // By now another one may be more urgent.
        const offer = await queue.take(underWay);
        if (offer === undefined) continue;
        const sending = this.send(offer, room, run)
          .catch((error: unknown) => {
            failure = error instanceof Error ? error : new Error(String(error));
          })
          .finally(() => underWay.delete(offer.g2aOfferId));
        underWay.set(offer.g2aOfferId, sending);
      }
    } finally {
      // Also when the database fails: the next run knows nothing of these, and a newer price could arrive before an older one.
      await Promise.all(underWay.values());
    }
    if (failure !== undefined) throw failure;
  }

  /** Null: none for now. */
  private async roomFor(offer: OfferToPublish, endsAtMs: number): Promise<TakenRoom | null> {
    const priority = requestPriority(offer);
    const restMs = Math.max(0, endsAtMs - performance.now());
    // Nothing but a stop waits long: a stop that turns up meanwhile finds the room that is left to it.
    const spreadMs = Math.min(restMs, SPREAD_PATIENCE_MS);
    const maxWaitMs = { urgent: restMs, loss: spreadMs, bulk: spreadMs, spare: 0 }[priority];
    try {
      return await this.g2a.roomForUpdate({ priority, maxWaitMs });
    } catch (error) {
      if (error instanceof UpstreamError && error.kind === 'retry_after') return null;
      throw error;
    }
  }

  private async send(offer: OfferToPublish, room: TakenRoom, run: Run): Promise<void> {
    const { manager } = this.dataSource;
    const { g2aOfferId } = offer;
    const change = planChange(offer);
    // Waiting for room takes time: meanwhile another replica may have begun to publish, or this one to end.
    if (change === null || !this.leadership.isLeader()) return;
    const before = await recordSending(manager, offer, change);
    if (before === null) return;
    const isPriceSent = change.retailPriceCents !== undefined || change.businessPriceCents !== undefined;
    const isStop = change.isActive === false;
    const sendUntilMs = performance.now() + SEND_WITHIN_MS;
    try {
      const { jobId } = await this.g2a.updateOffer(g2aOfferId, toOfferChange(change), {
        ...PATCH_LIMITS,
        priority: requestPriority(offer),
        room,
        beforeSend: () => {
          if (this.leadership.isLeader() && performance.now() < sendUntilMs) return;
          throw new UpstreamError({
            system: 'g2a',
            kind: 'retry_after',
            subject: 'PATCH',
            reason: 'too late to send it',
          });
        },
      });
      run.accepted += 1;
      run.failuresInRow = 0;
      this.lastAcceptedAtMs = performance.now();
      if (isStop && jobId !== null) await recordStopJob(manager, g2aOfferId, jobId);
      if (isStop && offer.desired.isActive) await this.failing.tellOfStop(g2aOfferId);
      if (!isStop && offer.desired.isActive) await keepAcceptedPrices(manager, offer, isPriceSent);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      await this.fail(g2aOfferId, before, error, run);
      if (error.kind === 'rejected' && isPriceSent) await keepCostOfOldPrices(manager, offer);
    }
  }

  /** One offer's trouble is its own; trouble with G2A as a whole is everybody's and ends this run. */
  private async fail(g2aOfferId: string, before: PendingChange, error: UpstreamError, run: Run): Promise<void> {
    const { manager } = this.dataSource;
    if (error.kind === 'retry_after') {
      await recordNotSent(manager, g2aOfferId, before);
      run.trouble = error;
      run.isOver = true;
      return;
    }
    // Only G2A's own word: a proxy's 404 says nothing about the offer.
    if (error.status === NOT_FOUND && error.kind === 'rejected') {
      await this.failing.forget(g2aOfferId, 'gone at G2A');
      return;
    }
    const isOwn = error.kind === 'rejected' || performance.now() - this.lastAcceptedAtMs < ACCEPTED_LATELY_MS;
    const trouble = await recordFailure(manager, g2aOfferId, before, { error: error.message, isOwn });
    if (trouble !== null) await this.failing.report(trouble);
    if (error.kind === 'rejected') return;
    run.failuresInRow += 1;
    run.isOver = run.failuresInRow >= (run.accepted === 0 ? MAX_FAILURES.atFirst : MAX_FAILURES.later);
    if (run.isOver || error.status === undefined) run.trouble = error;
  }
}

function toOfferChange(change: SentChange) {
  return {
    retailPrice: change.retailPriceCents,
    businessPrice: change.businessPriceCents,
    size: change.size,
    isActive: change.isActive,
  };
}

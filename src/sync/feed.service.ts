import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { mappedAmong } from '../catalog/known-suppliers.queries.js';
import { deleteSpentHolds } from '../catalog/stock-holds.queries.js';
import { priceGuard, storeSupplierReports } from '../catalog/store-supplier-reports.js';
import { databaseNow, markSupplierProductsGone } from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import type { ProductPage, SupplierProduct } from '../cws/cws.types.js';
import { inTransaction } from '../database/one-connection.js';
import type { CallLimits } from '../upstream/upstream-client.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { type FeedVerdicts, judgeFeed, VERDICT_WINDOW_SECONDS } from './feed-trust.rules.js';
import {
  clockLeadMs,
  FeedCost,
  feedWindow,
  type FeedWindow,
  leastFeedIntervalSeconds,
  positionAfter,
} from './feed-window.rules.js';
import { advanceCursor, feedState, type FeedState } from './sync-cursors.queries.js';
import { judgeUnannounced, markAnnounced } from './unannounced-changes.queries.js';

/** A feed that is not believed is read only this often, to find out whether it mends; the requests are the sweep's. */
const UNRELIABLE_INTERVAL_SECONDS = 30;
/** How long it waits for room; a round must not stand still. */
const CALL_LIMITS: CallLimits = { priority: 'background', maxWaitMs: 2000 };
/** People are told when CWS's clock is further off: beyond two minutes changes may be missed. */
const LARGE_CLOCK_LEAD_MS = 60_000;

/** A pass that has not ended yet. */
interface FeedPass {
  /** Database time. */
  readonly startedAt: Date;
  /** The same by `performance.now()`. */
  readonly startedAtMs: number;
  readonly window: FeedWindow;
  pages: number;
  /** Null before its first page. */
  continueFrom: string | null;
  /** Something on its pages so far was not known. */
  hasNews: boolean;
  /** How far CWS's clock is ahead of ours, in milliseconds; 0 while unknown. */
  clockLeadMs: number;
}

/** Follows CWS's catalog by what it says has changed. */
@Injectable()
export class FeedService {
  private readonly guard;
  private readonly cost = new FeedCost();
  /** A pass that CWS's limit has cut short. */
  private interrupted: FeedPass | null = null;
  private underWay: FeedPass | null = null;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cws: CwsClient,
    private readonly alerts: AlertsService,
    private readonly config: AppConfig,
  ) {
    this.guard = priceGuard(config);
  }

  /**
   * Reads what changed since the cursor. Each page is stored as it arrives; the cursor moves in one transaction with the last
   * one: a crash in the middle repeats pages, it never skips one. A pass that CWS's limit cuts short is gone on with by the next
   * call: however large it is, it comes to its end.
   * @returns whether CWS was asked.
   * @throws UpstreamError
   */
  async readFeed(): Promise<boolean> {
    const { manager } = this.dataSource;
    const now = await databaseNow(manager);
    const state = await feedState(manager);
    const pass = this.takeInterrupted(state) ?? this.begin(state, now);
    if (pass === null) return false;
    this.underWay = pass;
    try {
      const lastPage = await this.readPages(pass);
      await this.finish(pass, lastPage, state?.unreliableSince ?? null);
    } catch (error) {
      const hasNoRoom = error instanceof UpstreamError && error.kind === 'retry_after';
      if (hasNoRoom && pass.continueFrom !== null) this.interrupted = pass;
      if (error instanceof UpstreamError) await this.tellIfLate(now, state?.passStartedAt ?? pass.startedAt, error);
      throw error;
    } finally {
      this.underWay = null;
    }
    await this.tellOfClock(pass.clockLeadMs);
    return true;
  }

  /** Whether a pass has more pages after some that were not all known. */
  get isMidPass(): boolean {
    const pass = this.underWay ?? this.interrupted;
    return pass !== null && pass.continueFrom !== null && pass.hasNews;
  }

  /** Clears away holds that no longer count; that they do not count is decided by the stock view, not here. */
  async forgetSpentHolds(): Promise<void> {
    await deleteSpentHolds(this.dataSource.manager);
  }

  // Another replica may have led meanwhile, and be further.
  private takeInterrupted(state: FeedState | null): FeedPass | null {
    const pass = this.interrupted;
    this.interrupted = null;
    return pass !== null && (state === null || state.passStartedAt < pass.startedAt) ? pass : null;
  }

  private begin(state: FeedState | null, startedAt: Date): FeedPass | null {
    if (state !== null && startedAt.getTime() - state.passStartedAt.getTime() < this.restMs(state)) return null;
    const position = state ?? { position: startedAt, rereadPosition: null };
    const window = feedWindow(position, this.cost, this.config.cwsProductsRate);
    const startedAtMs = performance.now();
    return { startedAt, startedAtMs, window, pages: 0, continueFrom: null, hasNews: false, clockLeadMs: 0 };
  }

  /** How long after the start of a pass none is begun, though it is asked for. */
  private restMs({ unreliableSince }: FeedState): number {
    if (unreliableSince !== null) return UNRELIABLE_INTERVAL_SECONDS * 1000;
    const least = leastFeedIntervalSeconds(this.config.cwsProductsRate);
    return this.config.syncIntervalSeconds < least ? least * 1000 : 0;
  }

  /** @returns what is of interest on the last page; that of all others is stored. */
  private async readPages(pass: FeedPass): Promise<readonly SupplierProduct[]> {
    const { manager } = this.dataSource;
    const { window, continueFrom } = pass;
    for await (const page of this.cws.products({ updatedSince: window.updatedSince, continueFrom }, CALL_LIMITS)) {
      if (page.answeredAt !== null) pass.clockLeadMs = leadMs(page.answeredAt, pass);
      pass.pages += 1;
      const mapped = await this.mappedOf(page);
      await this.stopUnreadable(page, mapped, pass.startedAt);
      const products = page.products.filter(({ cwsProductId }) => mapped.has(cwsProductId));
      if (page.continueFrom === null) return products;
      if ((await this.store(manager, products, pass.startedAt)) > 0) pass.hasNews = true;
      pass.continueFrom = page.continueFrom;
    }
    return [];
  }

  private async mappedOf({ products, rejected }: ProductPage): Promise<ReadonlySet<string>> {
    const ids = [...products, ...rejected].flatMap(({ cwsProductId }) => cwsProductId ?? []);
    return new Set(ids.length === 0 ? [] : await mappedAmong(this.dataSource.manager, ids));
  }

  private async finish(
    { startedAt, window: { isReread }, pages, clockLeadMs }: FeedPass,
    products: readonly SupplierProduct[],
    wasUnreliableSince: Date | null,
  ): Promise<void> {
    // Who may have skipped something cannot say that it was not announced.
    const judgedBefore = this.cost.maySkip(isReread) ? null : startedAt;
    const unreliableSince = await inTransaction(this.dataSource, async (manager) => {
      await this.store(manager, products, startedAt);
      const verdicts = await judgeUnannounced(manager, judgedBefore);
      const since = judgeFeed(verdicts, wasUnreliableSince, startedAt);
      await advanceCursor(manager, { startedAt, position: positionAfter(startedAt, clockLeadMs), isReread }, since);
      if (since !== null) await this.alerts.raise('feed_unreliable', '', describe(verdicts), manager);
      return since;
    });
    this.cost.add(pages, isReread);
    if (unreliableSince === null) await this.alerts.clear('feed_unreliable');
    await this.alerts.clear('feed_late');
  }

  /** Half of the time is gone after which everything is stopped as stale. */
  private async tellIfLate(now: Date, freshAsOf: Date, { message }: UpstreamError): Promise<void> {
    const seconds = Math.round((now.getTime() - freshAsOf.getTime()) / 1000);
    if (seconds < this.config.staleAfterSeconds / 2) return;
    await this.alerts.raise('feed_late', '', `CWS's feed was last read to its end ${seconds} s ago: ${message}`);
  }

  private async tellOfClock(clockLeadMs: number): Promise<void> {
    if (Math.abs(clockLeadMs) <= LARGE_CLOCK_LEAD_MS) {
      await this.alerts.clear('clock_skew');
      return;
    }
    const seconds = Math.round(Math.abs(clockLeadMs) / 1000);
    const message = `CWS's clock is ${seconds} s ${clockLeadMs < 0 ? 'behind' : 'ahead of'} the database's: correct ours if it is wrong`;
    await this.alerts.raise('clock_skew', '', message);
  }

  // Supplier rows are locked before the rows of what they announce, as whoever asks for products does.
  private async store(
    manager: EntityManager,
    products: readonly SupplierProduct[],
    requestedAt: Date,
  ): Promise<number> {
    if (products.length === 0) return 0;
    const written = await storeSupplierReports(manager, products, { requestedAt, isAskedById: false }, this.guard);
    await markAnnounced(
      manager,
      products.map(({ cwsProductId }) => cwsProductId),
    );
    return written;
  }

  // What is known of an unreadable product is not true any more, and what is true is not known: it cannot be sold.
  private async stopUnreadable(page: ProductPage, mapped: ReadonlySet<string>, requestedAt: Date): Promise<void> {
    const unreadable = page.rejected.filter(({ cwsProductId }) => cwsProductId === null || mapped.has(cwsProductId));
    for (const { cwsProductId, reason } of unreadable) {
      await this.alerts.raise('supplier_product_unreadable', cwsProductId ?? '', reason);
    }
    const ids = unreadable.flatMap(({ cwsProductId }) => cwsProductId ?? []);
    await markSupplierProductsGone(this.dataSource.manager, ids, requestedAt);
  }
}

function leadMs(answeredAt: Date, { startedAt, startedAtMs }: FeedPass): number {
  return clockLeadMs(answeredAt, startedAt.getTime() + performance.now() - startedAtMs);
}

function describe({ missed, judged }: FeedVerdicts): string {
  return (
    `CWS's feed has kept ${missed} of ${judged} changes to itself that we found within ${VERDICT_WINDOW_SECONDS / 60} ` +
    'minutes by asking for products by id: it is not believed for now'
  );
}

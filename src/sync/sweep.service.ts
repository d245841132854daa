import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { mappedAmong } from '../catalog/known-suppliers.queries.js';
import { storeSupplierAnswer, type SupplierReportPage } from '../catalog/store-supplier-answer.js';
import { priceGuard } from '../catalog/store-supplier-reports.js';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { RefusedBatches } from './refused-batches.rules.js';
import { feedState, storeSweepCycle } from './sync-cursors.queries.js';
import { type SweepTargets, sweepTargets } from './sweep.queries.js';
import { SWEEP_BATCH, SweepCycle, type SweepKind, SweepPace, type SweepPlan, sweepPlan } from './sweep.rules.js';
import { isAboutTheQuestion } from './upstream-trouble.rules.js';

/** Longest slice: well below an interval, or every other turn of the hot products would be skipped; what it finds is priced at its end. */
const SLICE_MS = 2000;
/** More than a slice can ask for. */
const SLICE_PRODUCTS = 100 * SWEEP_BATCH;

/**
 * Asks CWS for the mapped products by id, again and again: nobody guarantees that the feed tells everything. What it finds is
 * what the feed is judged by.
 */
@Injectable()
export class SweepService {
  private readonly logger = new Logger(SweepService.name);
  private readonly guard;
  private readonly pace = new SweepPace();
  private readonly cycle = new SweepCycle();
  private readonly refused = new RefusedBatches();
  /** What CWS said when it refused a question last. */
  private lastRefusal: UpstreamError | null = null;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cws: CwsClient,
    private readonly alerts: AlertsService,
    private readonly config: AppConfig,
  ) {
    this.guard = priceGuard(config);
  }

  /**
   * One slice, at the sweep's pace: what cannot be sold without an answer, then hot products and the rest by age. A question that is
   * refused because of one product does not keep the others from being asked about.
   * @returns whether CWS was asked.
   * @throws UpstreamError `retry_after` when the limit leaves nothing to the sweep now; else what concerns all products.
   */
  async sweep(): Promise<boolean> {
    const startedAtMs = performance.now();
    this.cycle.beginTurn(startedAtMs, this.config.syncIntervalSeconds * 1000);
    this.refused.beginTurn();
    try {
      const { plan, ...targets } = await this.plan();
      let asked = 0;
      for (const ids of this.questions(targets, plan, startedAtMs + SLICE_MS)) {
        await this.check(ids);
        asked += 1;
      }
      if (!this.refused.hasParts) await this.judgeSuspects();
      this.cycle.endTurn(performance.now());
      return asked > 0;
    } catch (error) {
      // A limit that is used up belongs to what a cycle takes; trouble does not.
      if (error instanceof UpstreamError && error.kind === 'retry_after') this.cycle.endTurn(performance.now());
      throw error;
    }
  }

  /** What is planned; and in every other question, as long as there are any, parts of what was refused: neither keeps the other waiting. */
  private *questions(targets: SweepTargets, plan: SweepPlan, endsAtMs: number): Iterable<readonly string[]> {
    const isTaken = (kind: SweepKind): boolean => {
      const nowMs = performance.now();
      return nowMs < endsAtMs && this.pace.tryTake(nowMs, plan, kind);
    };
    // Hot products keep what they need, whatever is refused.
    const nextPart = (): readonly string[] | undefined =>
      this.refused.hasParts && isTaken('rest') ? this.refused.take() : undefined;
    for (const { kind, ids } of batches(targets)) {
      // Without room for what is urgent there may yet be some for what is hot.
      if (isTaken(kind)) yield ids;
      const part = nextPart();
      if (part !== undefined) yield part;
    }
    for (let part = nextPart(); part !== undefined; part = nextPart()) yield part;
  }

  private async plan(): Promise<SweepTargets & { readonly plan: SweepPlan }> {
    const { manager } = this.dataSource;
    const feed = await feedState(manager);
    const plan = sweepPlan(this.config.cwsProductsRate, (feed?.unreliableSince ?? null) !== null);
    const { startedAt: cycleStartedAt, unanswered } = this.cycle.open;
    const targets = await sweepTargets(manager, {
      ...plan,
      confirmAfterSeconds: this.guard.confirmAfterSeconds,
      lowStock: this.config.lowStock,
      cycleStartedAt,
      except: [...unanswered, ...this.refused.apart],
      limit: SLICE_PRODUCTS,
    });
    if (targets.isCycleComplete && !this.refused.isSearching) {
      // What could not be read, was asked for since and could be read, or is mapped no more.
      if (cycleStartedAt !== null) {
        await this.alerts.clearRaisedBefore('supplier_product_unreadable', cycleStartedAt);
      }
      const seconds = this.cycle.end(targets.now);
      if (seconds !== null) await storeSweepCycle(manager, seconds);
      this.refused.askAgain(new Set(await mappedAmong(manager, this.refused.blamed)));
    }
    return { ...targets, plan };
  }

  /** @throws UpstreamError when it is not about these products. */
  private async check(cwsProductIds: readonly string[]): Promise<void> {
    try {
      await this.store(cwsProductIds, () => this.ask(cwsProductIds));
    } catch (error) {
      if (!isAboutTheQuestion(error)) throw error;
      this.lastRefusal = error;
      if (this.refused.refused(cwsProductIds)) throw error;
    }
  }

  private async *ask(cwsProductIds: readonly string[]): AsyncIterable<SupplierReportPage> {
    try {
      yield* this.cws.products({ cwsProductIds }, { priority: 'spare', maxWaitMs: 0 });
      this.refused.answered(cwsProductIds);
    } catch (error) {
      if (!isAboutTheQuestion(error) || !this.refused.isToBlame(cwsProductIds)) throw error;
      yield this.blame(cwsProductIds, error);
    }
  }

  /** What CWS refuses alone counts like what it lists in a form that is not understood: nobody knows what is true of it now. */
  private blame(cwsProductIds: readonly string[], { message: reason }: UpstreamError): SupplierReportPage {
    this.refused.blame(cwsProductIds);
    return { products: [], rejected: cwsProductIds.map((cwsProductId) => ({ cwsProductId, reason })) };
  }

  /**
   * All was asked that was to be, and nothing was answered since products were refused alone. Of a single one CWS's own word is
   * enough to go by. Several, or an answer that is not understood: that may be everybody's trouble.
   */
  private async judgeSuspects(): Promise<void> {
    const suspects = this.refused.refusedAlone;
    if (suspects.length === 0 || this.lastRefusal === null) return;
    if (suspects.length > 1 || this.lastRefusal.kind !== 'rejected') {
      this.refused.askSuspects();
      throw this.lastRefusal;
    }
    const page = this.blame(suspects, this.lastRefusal);
    await this.store(suspects, async function* () {
      yield await Promise.resolve(page);
    });
  }

  private async store(cwsProductIds: readonly string[], ask: () => AsyncIterable<SupplierReportPage>): Promise<void> {
    const { manager } = this.dataSource;
    const { gone, rejected, untold } = await storeSupplierAnswer(manager, cwsProductIds, this.guard, ask);
    for (const { cwsProductId, reason } of rejected) {
      await this.alerts.raise('supplier_product_unreadable', cwsProductId ?? '', reason);
    }
    const unreadable = new Set(rejected.map(({ cwsProductId }) => cwsProductId));
    const readable = cwsProductIds.filter((id) => !unreadable.has(id));
    if (readable.length > 0) await this.alerts.clear('supplier_product_unreadable', ...readable);
    this.cycle.leaveOut(untold);
    if (gone.length > 0) this.logger.debug(`${gone.length} mapped products are not in CWS's answer`);
  }
}

/** In the order of SweepTargets; the last batch of hot products is filled up with others. */
function* batches({ urgent, hot, rest }: SweepTargets): Iterable<{ kind: SweepKind; ids: readonly string[] }> {
  for (const ids of inBatches(urgent)) yield { kind: 'urgent', ids };
  let hotLeft = hot.length;
  for (const ids of inBatches([...hot, ...rest])) {
    yield { kind: hotLeft > 0 ? 'hot' : 'rest', ids };
    hotLeft -= ids.length;
  }
}

function* inBatches(ids: readonly string[]): Iterable<readonly string[]> {
  for (let start = 0; start < ids.length; start += SWEEP_BATCH) yield ids.slice(start, start + SWEEP_BATCH);
}

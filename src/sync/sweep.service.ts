import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { storeSupplierAnswer } from '../catalog/store-supplier-answer.js';
import { priceGuard } from '../catalog/store-supplier-reports.js';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { feedState, storeSweepCycle } from './sync-cursors.queries.js';
import { type SweepTargets, sweepTargets } from './sweep.queries.js';
import { SWEEP_BATCH, SweepCycle, type SweepKind, SweepPace, type SweepPlan, sweepPlan } from './sweep.rules.js';

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

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cws: CwsClient,
    private readonly alerts: AlertsService,
    private readonly config: AppConfig,
  ) {
    this.guard = priceGuard(config);
  }

  /**
   * One slice, at the sweep's pace: what cannot be sold without an answer, then hot products and the rest by age.
   * @returns whether CWS was asked.
   * @throws UpstreamError `retry_after` when the limit leaves nothing to the sweep now.
   */
  async sweep(): Promise<boolean> {
    const startedAtMs = performance.now();
    this.cycle.beginTurn(startedAtMs, this.config.syncIntervalSeconds * 1000);
    try {
      const { plan, ...targets } = await this.plan();
      let asked = 0;
      for (const { kind, ids } of batches(targets)) {
        const nowMs = performance.now();
        if (nowMs >= startedAtMs + SLICE_MS) break;
        // Without room for what is urgent there may yet be some for what is hot.
        if (!this.pace.tryTake(nowMs, plan, kind)) continue;
        await this.check(ids);
        asked += 1;
      }
      this.cycle.endTurn(performance.now());
      return asked > 0;
    } catch (error) {
      // A limit that is used up belongs to what a cycle takes; trouble does not.
      if (error instanceof UpstreamError && error.kind === 'retry_after') this.cycle.endTurn(performance.now());
      throw error;
    }
  }

  private async plan(): Promise<SweepTargets & { readonly plan: SweepPlan }> {
    const { manager } = this.dataSource;
    const feed = await feedState(manager);
    const plan = sweepPlan(this.config.cwsProductsRate, (feed?.unreliableSince ?? null) !== null);
    const { startedAt: cycleStartedAt, unanswered: except } = this.cycle.open;
    const targets = await sweepTargets(manager, {
      ...plan,
      confirmAfterSeconds: this.guard.confirmAfterSeconds,
      lowStock: this.config.lowStock,
      cycleStartedAt,
      except,
      limit: SLICE_PRODUCTS,
    });
    if (targets.isCycleComplete) {
      // What could not be read, was asked for since and could be read, or is mapped no more.
      if (cycleStartedAt !== null) {
        await this.alerts.clearRaisedBefore('supplier_product_unreadable', cycleStartedAt);
      }
      const seconds = this.cycle.end(targets.now);
      if (seconds !== null) await storeSweepCycle(manager, seconds);
    }
    return { ...targets, plan };
  }

  private async check(cwsProductIds: readonly string[]): Promise<void> {
    const { gone, rejected, untold } = await storeSupplierAnswer(
      this.dataSource.manager,
      cwsProductIds,
      this.guard,
      () => this.cws.products({ cwsProductIds }, { priority: 'spare', maxWaitMs: 0 }),
    );
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

import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { storeSupplierAnswer } from '../catalog/store-supplier-answer.js';
import { priceGuard } from '../catalog/store-supplier-reports.js';
import { notRequestedSince } from '../catalog/supplier-products.queries.js';
import { AppConfig } from '../config/app-config.js';
import { CwsClient } from '../cws/cws-client.js';
import { settlesWithin } from '../jobs/settles-within.js';
import type { CallLimits } from '../upstream/upstream-client.js';

/** How long a customer is kept waiting for CWS; G2A itself waits about 9 s for the whole answer. */
export const CWS_PATIENCE_MS = 3_000;
/** An answer that comes after the customer was served is still worth storing; a call that takes this long is given up. */
const CALL_LIMITS = {
  urgent: { priority: 'urgent', timeoutMs: 5_000, maxWaitMs: CWS_PATIENCE_MS, retries: 1 },
  // Only from what nobody else needs, the feed least of all.
  spare: { priority: 'spare', timeoutMs: 5_000, maxWaitMs: 0, retries: 0 },
} as const satisfies Record<string, CallLimits>;

type Priority = keyof typeof CALL_LIMITS;

/** How CWS is asked. */
export interface LiveCheck {
  /** `spare` where it is tried again anyway: without room nothing is asked. Default: `urgent`. */
  readonly priority?: Priority;
  /**
   * Epoch milliseconds by the database's clock; products that CWS has been asked for since then are left alone: of a crowd that found
   * them too old, some come here when the question of the first was answered already. Default: all are asked for.
   */
  readonly since?: number;
  /** How long the answer is waited for. Default: 3 s. */
  readonly patienceMs?: number;
}

interface Call {
  readonly priority: Priority;
  readonly done: Promise<void>;
}

/** Asks CWS about single products while a customer waits, or a paid order. */
@Injectable()
export class LiveStockService implements BeforeApplicationShutdown {
  private readonly logger = new Logger(LiveStockService.name);
  /** Calls under way, by each CWS product that they ask for. They never reject. */
  private readonly underWay = new Map<string, Call>();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cws: CwsClient,
    private readonly config: AppConfig,
  ) {}

  /**
   * Renews the snapshots of these products if CWS answers in time; otherwise they stay as they are, and an answer that
   * comes later is stored then. Products that are being asked for already are waited for, the others share one request.
   * Never within a transaction.
   */
  async refresh(
    cwsProductIds: readonly string[],
    { priority = 'urgent', since, patienceMs = CWS_PATIENCE_MS }: LiveCheck = {},
  ): Promise<void> {
    const giveUpAtMs = performance.now() + patienceMs;
    const asked = this.askOrJoin(cwsProductIds, priority, since).then(async (joined) => {
      // It may have been sent before `since`; one that is sent now is not.
      if (since === undefined || joined.length === 0 || performance.now() > giveUpAtMs) return;
      await this.askOrJoin(joined, priority, since);
    });
    await settlesWithin(asked, patienceMs);
  }

  /** An answer that is about to come is stored before the database is left. */
  async beforeApplicationShutdown(): Promise<void> {
    await settlesWithin(Promise.all([...this.underWay.values()].map(({ done }) => done)), CWS_PATIENCE_MS);
  }

  /** @returns those for which a call was under way already. */
  private async askOrJoin(
    cwsProductIds: readonly string[],
    priority: Priority,
    since: number | undefined,
  ): Promise<readonly string[]> {
    const joined = cwsProductIds.filter((id) => this.isAsked(id, priority));
    const wanted = cwsProductIds.filter((id) => !joined.includes(id));
    if (wanted.length > 0) {
      const done = this.ask(wanted, priority, since).finally(() => {
        for (const id of wanted) if (this.underWay.get(id) === call) this.underWay.delete(id);
      });
      const call = { priority, done };
      for (const id of wanted) this.underWay.set(id, call);
    }
    await Promise.all(cwsProductIds.flatMap((id) => this.underWay.get(id)?.done ?? []));
    return joined;
  }

  /** A call from spare room may come to nothing where an urgent one would not. */
  private isAsked(cwsProductId: string, priority: Priority): boolean {
    const call = this.underWay.get(cwsProductId);
    return call !== undefined && (call.priority === 'urgent' || priority === 'spare');
  }

  private async ask(cwsProductIds: readonly string[], priority: Priority, since: number | undefined): Promise<void> {
    const { manager } = this.dataSource;
    try {
      const due = since === undefined ? cwsProductIds : await notRequestedSince(manager, cwsProductIds, since);
      if (due.length === 0) return;
      await storeSupplierAnswer(manager, due, priceGuard(this.config), () =>
        this.cws.productsNow(due, CALL_LIMITS[priority]),
      );
    } catch (error) {
      // Whatever it is, the snapshots serve while they are fresh enough.
      this.logger.warn(`live stock check failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { SupplierOrderStatus } from '../cws/cws.types.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { DetailTurns } from './detail-turns.js';
import { LookUpPurchaseService } from './look-up-purchase.service.js';
import {
  isHistoryGivenUp,
  isOverInHistory,
  POLLING_ENDS_AFTER_SECONDS,
  sharedFailureSeconds,
} from './polling.rules.js';
import { pendingPurchases } from './purchases.queries.js';

/** Up to so many are asked for one by one: their codes come with the same answer. */
const FEW = 25;
/** How long one look at the history serves all who ask: half the shortest gap between two questions. */
const SHARED_MS = 1000;

/** What is known of a pending purchase without its details; `isWorthAsking`: those are to be asked for now. */
export interface PendingNews {
  readonly isWorthAsking: boolean;
  /** Why nothing is known now; null: CWS is at work, or its details tell. */
  readonly failure: string | null;
}

type History = ReadonlyMap<string, SupplierOrderStatus>;

/** One look at the history, shared by all who ask while it is under way or fresh. */
interface Look {
  readonly outcome: Promise<History | UpstreamError>;
  freshUntilMs: number;
}

const ASK: PendingNews = { isWorthAsking: true, failure: null };

/** Watches many pending purchases with one question: CWS's history tells the state of all. */
@Injectable()
export class WatchPendingService {
  private shared: Look | null = null;
  /** Since when every look has failed; null: the last one has not. */
  private failingSinceMs: number | null = null;
  private readonly turns = new DetailTurns();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly lookUp: LookUpPurchaseService,
  ) {}

  /**
   * Whether CWS's details of a pending purchase are to be asked for. With a few pending always: they tell more. With many those that
   * the history calls over, at once; those that it cannot tell of in turns, a few a second; and while the history only fails for now,
   * or CWS has no room, none: a thousand questions instead of one would not help.
   */
  async newsOf(purchaseId: string, cwsOrderIds: readonly string[]): Promise<PendingNews> {
    const { count, oldestAt } = await pendingPurchases(this.dataSource.manager, POLLING_ENDS_AFTER_SECONDS);
    if (count <= FEW || oldestAt === null) return ASK;
    const history = await this.history(oldestAt);
    if (history instanceof UpstreamError) {
      const failingMs = this.failingSinceMs === null ? 0 : performance.now() - this.failingSinceMs;
      if (!isHistoryGivenUp(history.kind, failingMs / 1000)) return { isWorthAsking: false, failure: history.message };
      return { isWorthAsking: this.takeTurn(purchaseId, count), failure: history.message };
    }
    const states = cwsOrderIds.map((id) => history.get(id));
    if (states.every((state) => state === 'fulfilling')) return { isWorthAsking: false, failure: null };
    if (states.some(isOverInHistory)) return ASK;
    return { isWorthAsking: this.takeTurn(purchaseId, count), failure: null };
  }

  private takeTurn(purchaseId: string, pending: number): boolean {
    return this.turns.take(purchaseId, pending, performance.now());
  }

  private async history(since: Date): Promise<History | UpstreamError> {
    if (this.shared === null || performance.now() >= this.shared.freshUntilMs) this.shared = this.start(since);
    return this.shared.outcome;
  }

  /** However long CWS takes, there are never two at once. */
  private start(since: Date): Look {
    const startedAtMs = performance.now();
    const look = { outcome: this.read(since), freshUntilMs: Infinity };
    void look.outcome.then(
      (outcome) => {
        look.freshUntilMs = startedAtMs + SHARED_MS;
        if (!(outcome instanceof UpstreamError)) {
          this.failingSinceMs = null;
          return;
        }
        this.failingSinceMs ??= startedAtMs;
        look.freshUntilMs = performance.now() + Math.max(SHARED_MS, sharedFailureSeconds(outcome) * 1000);
      },
      () => {
        look.freshUntilMs = startedAtMs + SHARED_MS;
      },
    );
    return look;
  }

  private async read(since: Date): Promise<History | UpstreamError> {
    try {
      const history = await this.lookUp.historyOfPending(since);
      return new Map(history.map(({ cwsOrderId, status }) => [cwsOrderId, status]));
    } catch (error) {
      if (error instanceof UpstreamError) return error;
      throw error;
    }
  }
}

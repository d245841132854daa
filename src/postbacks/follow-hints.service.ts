import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { settlesWithin } from '../jobs/settles-within.js';
import { WakePurchasesService } from '../orders/wake-purchases.service.js';
import { FetchProductsService } from '../sync/fetch-products.service.js';
import type { PostbackHints } from './read-postback.rules.js';

/** A burst is over, or large enough for a question, after so long. */
const MERGE_MS = 200;
/** What CWS has not answered, or had no room for, is asked again so much later. */
const AGAIN_MS = 2000;
/** Hints that wait; more are dropped, for feed and sweep find the same a little later. */
const MAX_WAITING = 1000;
/** Products of a burst that mappings may use: CWS may tell of its whole catalog. */
const MAX_NOTED = 20_000;
/** How long a shutdown waits for what is being asked. */
const SHUTDOWN_PATIENCE_MS = 3000;

/** Follows hints on whatever replica they reach: those of a burst together, each product and order once. */
@Injectable()
export class FollowHintsService implements OnModuleDestroy {
  private readonly logger = new Logger(FollowHintsService.name);
  private readonly products = new Set<string>();
  /** Of them, those of mappings that CWS has not told about yet. */
  private readonly mapped = new Set<string>();
  private notToldAtMs = -Infinity;
  private readonly orders = new Set<string>();
  private following: Promise<void> | null = null;
  private isStopping = false;

  constructor(
    private readonly fetchProducts: FetchProductsService,
    private readonly wakePurchases: WakePurchasesService,
  ) {}

  /** Notes the hints; they are followed a moment later. */
  note({ cwsProductIds, cwsOrderIds }: PostbackHints): void {
    addUpTo(MAX_NOTED, this.products, cwsProductIds);
    addUpTo(MAX_WAITING, this.orders, cwsOrderIds);
    this.following ??= this.follow().finally(() => {
      this.following = null;
    });
  }

  /** What is being asked is waited for; what only waits is left to feed, sweep and polls. */
  async onModuleDestroy(): Promise<void> {
    this.isStopping = true;
    if (this.following !== null) await settlesWithin(this.following, SHUTDOWN_PATIENCE_MS);
  }

  private async follow(): Promise<void> {
    while (this.products.size + this.mapped.size + this.orders.size > 0) {
      await sleep(MERGE_MS);
      if (this.isStopping) return;
      const [products, orders] = [takeAll(this.products), takeAll(this.orders)];
      // A customer waits for the orders.
      await this.attempt(() => this.wakePurchases.wake(orders));
      await this.attempt(async () => {
        if (products.length > 0) addUpTo(MAX_WAITING, this.mapped, await this.fetchProducts.mapped(products));
      });
      if (performance.now() - this.notToldAtMs < AGAIN_MS) continue;
      await this.attempt(async () => {
        // What was not told waits, and is merged with what comes meanwhile: a product that was hidden is in no feed.
        addUpTo(MAX_WAITING, this.mapped, await this.fetchProducts.fetch(takeAll(this.mapped)));
        if (this.mapped.size > 0) this.notToldAtMs = performance.now();
      });
    }
  }

  /** Whatever goes wrong, what was hinted at is found without the hint. */
  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn(`postback not followed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function addUpTo(limit: number, waiting: Set<string>, ids: readonly string[]): void {
  for (const id of ids) if (waiting.size < limit) waiting.add(id);
}

function takeAll(waiting: Set<string>): string[] {
  const taken = [...waiting];
  waiting.clear();
  return taken;
}

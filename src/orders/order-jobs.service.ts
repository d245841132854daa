import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { JobQueue } from '../jobs/job-queue.js';
import { JobRegistry } from '../jobs/job-registry.js';
import { assertTransitionsAreSound, ORDER_TRANSITIONS, PURCHASE_TRANSITIONS } from './order-state.rules.js';
import { PollPurchaseService } from './poll-purchase.service.js';
import { PurchaseOrderService } from './purchase-order.service.js';
import { idleOrders } from './purchases.queries.js';

const SWEEP_INTERVAL_MS = 10_000;
/** Longer than the longest gap between two looks at an order that is being worked on. */
const IDLE_SECONDS = 30;

/** Connects jobs to services, and wakes orders whose job was lost: the row is the truth, a job only a wake-up. */
@Injectable()
export class OrderJobsService implements OnModuleInit, OnApplicationBootstrap {
  private readonly logger = new Logger(OrderJobsService.name);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly registry: JobRegistry,
    private readonly jobs: JobQueue,
    private readonly purchasing: PurchaseOrderService,
    private readonly polling: PollPurchaseService,
  ) {}

  onModuleInit(): void {
    assertTransitionsAreSound(ORDER_TRANSITIONS, 'accepted');
    assertTransitionsAreSound(PURCHASE_TRANSITIONS, 'intended');
    this.registry.register('purchase-order', ({ orderId }) => this.purchasing.advance(orderId));
    this.registry.register('poll-purchase', ({ purchaseId }) => this.polling.poll(purchaseId));
  }

  /** After a start every unfinished order is looked at once: the process that had it may be the one that died. */
  async onApplicationBootstrap(): Promise<void> {
    await this.wake(0);
  }

  @Interval(SWEEP_INTERVAL_MS)
  async sweep(): Promise<void> {
    try {
      await this.wake(IDLE_SECONDS);
    } catch (error) {
      this.logger.warn(`sweep for idle orders failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private async wake(idleSeconds: number): Promise<void> {
    for (const orderId of await idleOrders(this.dataSource.manager, idleSeconds)) {
      await this.jobs.send('purchase-order', { orderId });
    }
  }
}

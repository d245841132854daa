import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { JobQueue } from '../jobs/job-queue.js';
import { JobRegistry } from '../jobs/job-registry.js';
import { assertTransitionsAreSound, ORDER_TRANSITIONS, PURCHASE_TRANSITIONS } from './order-state.rules.js';
import { PollPurchaseService } from './poll-purchase.service.js';
import { POLLING_ENDS_AFTER_SECONDS } from './polling.rules.js';
import { PurchaseOrderService } from './purchase-order.service.js';
import { idleOrders, idlePurchases, ordersWithNewSupply } from './waiting-orders.queries.js';

const SWEEP_INTERVAL_MS = 5_000;
/**
 * Longer than the longest gap between two looks at an order that is being worked on, 20 s; with the sweep's interval and a
 * worker's poll of 0.5 s it still moves within 30 s, whatever became of its job.
 */
const IDLE_SECONDS = 24;
/** After a purchase came to nothing, before new stock or a new price of a supplier is a reason to try again. */
const REST_SECONDS = 20;
/** Longer than the gap between two looks at a purchase of an order that waits for a person, 5 minutes. */
const IDLE_PURCHASE_SECONDS = 360;

/** Connects jobs to services, and wakes orders whose job was lost, or whose suppliers have something new: the row is the truth, a job only a wake-up. */
@Injectable()
export class OrderJobsService implements OnModuleInit, OnApplicationBootstrap {
  private readonly logger = new Logger(OrderJobsService.name);
  private isWaking = false;

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
    await this.tryToWake(0, 0);
  }

  @Interval(SWEEP_INTERVAL_MS)
  async sweep(): Promise<void> {
    await this.tryToWake(IDLE_SECONDS, IDLE_PURCHASE_SECONDS);
  }

  /** One at a time: a job that somebody is just sending in an open transaction is waited for, on one of few connections. */
  private async tryToWake(orderIdleSeconds: number, purchaseIdleSeconds: number): Promise<void> {
    if (this.isWaking) return;
    this.isWaking = true;
    try {
      await this.wake(orderIdleSeconds, purchaseIdleSeconds);
    } catch (error) {
      this.logger.warn(`idle orders were not all woken: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.isWaking = false;
    }
  }

  private async wake(orderIdleSeconds: number, purchaseIdleSeconds: number): Promise<void> {
    const { manager } = this.dataSource;
    const waiting = await ordersWithNewSupply(manager, REST_SECONDS);
    for (const orderId of new Set([...waiting, ...(await idleOrders(manager, orderIdleSeconds))])) {
      await this.jobs.send('purchase-order', { orderId });
    }
    const limits = { idleSeconds: purchaseIdleSeconds, maxAgeSeconds: POLLING_ENDS_AFTER_SECONDS };
    for (const purchaseId of await idlePurchases(manager, limits)) {
      await this.jobs.send('poll-purchase', { purchaseId });
    }
  }
}

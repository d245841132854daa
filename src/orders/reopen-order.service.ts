import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { AlertsService } from '../alerts/alerts.service.js';
import { type AuditActor, writeAudit } from '../audit/audit-log.js';
import { AppConfig } from '../config/app-config.js';
import { JobQueue } from '../jobs/job-queue.js';
import { OrderNotFoundError, OrderNotWaitingError } from './order-errors.js';
import { lockOrder, readItems } from './purchases.queries.js';
import { abandonUnknownPurchases, reopenOrder } from './reopen-order.queries.js';

/** A person's decision about an order that waits for one. */
@Injectable()
export class ReopenOrderService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly jobs: JobQueue,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * Lets the search for the order's keys begin anew, with a new deadline. Purchases whose outcome is unknown are given up:
   * the person has looked at CWS's panel and found that they did not happen. If one did, it is paid twice.
   * @throws OrderNotFoundError, OrderNotWaitingError
   */
  async reopen(orderId: string, actor: AuditActor): Promise<void> {
    await inTransaction(this.dataSource, async (manager) => {
      const order = await lockOrder(manager, orderId);
      if (order === null) throw new OrderNotFoundError();
      if (order.state !== 'needs_attention') throw new OrderNotWaitingError(`the order is ${order.state}`);
      const items = await readItems(manager, orderId);
      // A file that may not be handed over, for example: there is nothing to buy, and a person must serve the customer.
      if (items.every((item) => item.keys >= item.quantity)) throw new OrderNotWaitingError('no key is missing');
      const abandoned = await abandonUnknownPurchases(manager, orderId);
      await reopenOrder(manager, orderId, this.config.orderPollTimeoutSeconds);
      await writeAudit(manager, actor, [
        ...abandoned.map((purchaseId) => ({
          action: 'purchase.state_changed' as const,
          subjectId: purchaseId,
          details: { from: 'unknown', to: 'dead', reason: 'a person found that it did not happen' },
        })),
        {
          action: 'order.state_changed' as const,
          subjectId: orderId,
          details: { from: 'needs_attention', to: 'purchasing', reason: 'reopened by a person' },
        },
      ]);
      await this.alerts.clearWithin(manager, 'order_needs_attention', orderId);
      await this.jobs.send('purchase-order', { orderId }, { manager });
    });
  }
}

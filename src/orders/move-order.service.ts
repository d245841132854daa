import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { writeAudit } from '../audit/audit-log.js';
import { inTransaction } from '../database/one-connection.js';
import { ORDER_TRANSITIONS, type OrderState } from './order-state.rules.js';
import { lockOrder, moveOrder, type OrderProgress, updateAttentionReason } from './purchases.queries.js';

/** Moves orders from state to state, each with its audit row and its alert in the same transaction. */
@Injectable()
export class MoveOrderService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * Under the order's lock. Does nothing where the state may not follow.
   * @param reason for a person, of `needs_attention`.
   */
  async move(
    manager: EntityManager,
    order: { readonly id: string; readonly state: OrderState },
    to: OrderState,
    reason?: string,
  ): Promise<void> {
    if (!ORDER_TRANSITIONS[order.state].includes(to)) return;
    await moveOrder(manager, { id: order.id, from: order.state, to, attentionReason: reason });
    await writeAudit(manager, 'orders', [
      { action: 'order.state_changed', subjectId: order.id, details: { from: order.state, to, reason } },
    ]);
    if (to === 'completed') await this.alerts.clearWithin(manager, 'order_needs_attention', order.id);
    if (to === 'needs_attention') {
      await this.alerts.raise('order_needs_attention', order.id, reason ?? '', manager);
    }
  }

  /**
   * Calls a person, once per order and reason. The search for the key goes on where it can.
   * @param isStillTrue asked under the order's lock: what was read before may have been settled meanwhile.
   */
  async needAttention(
    orderId: string,
    reason: string,
    isStillTrue: (manager: EntityManager, order: OrderProgress) => Promise<boolean>,
  ): Promise<void> {
    await inTransaction(this.dataSource, async (manager) => {
      const order = await lockOrder(manager, orderId);
      if (order === null || !(await isStillTrue(manager, order))) return;
      if (order.state !== 'needs_attention') {
        await this.move(manager, order, 'needs_attention', reason);
        return;
      }
      // What the person reads is what is true now, also when the first reason is over.
      if (await updateAttentionReason(manager, orderId, reason)) {
        await writeAudit(manager, 'orders', [
          { action: 'order.reason_changed', subjectId: orderId, details: { reason } },
        ]);
        await this.alerts.raise('order_needs_attention', orderId, reason, manager);
      }
    });
  }
}

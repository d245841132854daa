import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { type AuditActor, type AuditEntry, writeAudit } from '../audit/audit-log.js';
import { releaseOwedHolds } from '../catalog/stock-holds.queries.js';
import { inTransaction } from '../database/one-connection.js';
import { OrderNotFoundError, OrderSettledError } from './order-errors.js';
import { ORDER_TRANSITIONS, type OrderState, type Resolution, RESOLUTION_STATES } from './order-state.rules.js';
import { lockOrder, moveOrder, readItems } from './purchases.queries.js';
import { abandonUnsentPurchases } from './unsent-purchases.queries.js';

/** What a person has decided, and why. */
export interface OrderResolution {
  readonly resolution: Resolution;
  /** What was done, for whoever reads the history: 1 to 500 characters. */
  readonly note: string;
  readonly actor: AuditActor;
  /** True: nothing is changed, and the answer says what would be. */
  readonly isDryRun?: boolean;
}

/** What resolving an order did, or would do. */
export interface ResolvedOrder {
  readonly from: OrderState;
  readonly to: OrderState;
  /** False: it had been resolved in this way before, and nothing changed. */
  readonly isChanged: boolean;
  /** Keys owed that had not come. */
  readonly missingKeys: number;
  /** Pieces of stock that were held for it and are free again. */
  readonly releasedPieces: number;
  /** Purchases that were never sent, and are not any more. */
  readonly abandonedPurchases: readonly string[];
  /** Purchases that may have been made: CWS is asked on, and what comes is kept as spare keys. */
  readonly openPurchases: readonly string[];
}

/** Rolls a dry run back. */
class DryRunOver extends Error {
  constructor(readonly outcome: ResolvedOrder) {
    super('dry run');
  }
}

/** A person's decision to end an order that the program could not complete. */
@Injectable()
export class ResolveOrderService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * Ends the order: nothing is bought or sent again for it, and no key is handed over that was not handed over before.
   * Purchases under way are still asked about, for they may have cost money. Doing the same again changes nothing.
   * @throws OrderNotFoundError, OrderSettledError when it is completed, or was resolved in the other way.
   */
  async resolve(orderId: string, decision: OrderResolution): Promise<ResolvedOrder> {
    try {
      return await inTransaction(this.dataSource, async (manager) => {
        const resolved = await this.resolveLocked(manager, orderId, decision);
        await this.alerts.clearWithin(manager, 'order_needs_attention', orderId);
        if (decision.isDryRun === true) throw new DryRunOver(resolved);
        return resolved;
      });
    } catch (error) {
      if (error instanceof DryRunOver) return error.outcome;
      throw error;
    }
  }

  private async resolveLocked(
    manager: EntityManager,
    orderId: string,
    { resolution, note, actor }: OrderResolution,
  ): Promise<ResolvedOrder> {
    const order = await lockOrder(manager, orderId);
    if (order === null) throw new OrderNotFoundError();
    const to = RESOLUTION_STATES[resolution];
    const isChanged = order.state !== to;
    if (isChanged && !ORDER_TRANSITIONS[order.state].includes(to)) throw new OrderSettledError(order.state);

    // A purchase that a worker is claiming at this moment is either claimed before this, or not sent at all.
    const unsent = isChanged ? await abandonUnsentPurchases(manager, orderId, 'all') : [];
    const items = await readItems(manager, orderId);
    const releasedPieces = isChanged
      ? await releaseOwedHolds(
          manager,
          items.map(({ id }) => id),
        )
      : 0;
    if (isChanged) {
      await moveOrder(manager, { id: orderId, from: order.state, to });
      const reason = resolution === 'refunded' ? 'refunded by a person' : 'delivered by hand';
      await writeAudit(manager, actor, [
        ...unsent.map(({ id, from }): AuditEntry => ({
          action: 'purchase.state_changed',
          subjectId: id,
          details: { from, to: 'dead', reason: 'never sent' },
        })),
        { action: 'order.state_changed', subjectId: orderId, details: { from: order.state, to, reason, note } },
      ]);
    }
    return {
      from: order.state,
      to,
      isChanged,
      missingKeys: items.reduce((sum, item) => sum + Math.max(0, item.quantity - item.keys), 0),
      releasedPieces,
      abandonedPurchases: unsent.map(({ id }) => id),
      openPurchases: items.flatMap(({ livePurchases }) => livePurchases.map(({ id }) => id)),
    };
  }
}

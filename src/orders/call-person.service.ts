import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { AppConfig } from '../config/app-config.js';
import { missingKeysText, openPurchaseText } from './attention-reason.rules.js';
import { lastFailure } from './choose-supplier.queries.js';
import { ChooseSupplierService } from './choose-supplier.service.js';
import { MatchSupplierOrdersService } from './match-supplier-orders.service.js';
import { MoveOrderService } from './move-order.service.js';
import { piecesToBuy } from './order-progress.rules.js';
import {
  type ItemProgress,
  type OrderProgress,
  type PurchaseProgress,
  readItems,
  readOrder,
  readPurchase,
} from './purchases.queries.js';
import type { Sending } from './purchase-sends.queries.js';

/** An item that a person must hear of: for a purchase that is still open, or (null) for pieces that nothing is under way for. */
interface Trouble {
  readonly item: ItemProgress;
  readonly purchase: PurchaseProgress | null;
}

/** Calls a person to a paid order whose keys do not come, and says why for each of its items, with the numbers. */
@Injectable()
export class CallPersonService implements OnModuleInit {
  private readonly logger = new Logger(CallPersonService.name);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly choice: ChooseSupplierService,
    private readonly matching: MatchSupplierOrdersService,
    private readonly moving: MoveOrderService,
    private readonly config: AppConfig,
  ) {}

  onModuleInit(): void {
    const { orderPollTimeoutSeconds: deadline, purchaseSettleSeconds: settle } = this.config;
    if (deadline > settle) return;
    this.logger.warn(
      `ORDER_POLL_TIMEOUT_SECONDS (${deadline}) is not above PURCHASE_SETTLE_SECONDS (${settle}): a purchase that nobody ` +
        'answered is settled after its deadline only, unless its connection was reset: it is not sent again, and a person is called',
    );
  }

  /**
   * Does nothing while there is time, nor when another handler has moved the order on since it was looked at.
   * @param stuck a sending whose outcome only a person can find out: that is told at once.
   */
  async call(orderId: string, stuck?: Sending): Promise<void> {
    const { manager } = this.dataSource;
    const order = await readOrder(manager, orderId);
    if (order === null) return;
    const troubles = await troublesOf(manager, order, stuck);
    if (troubles.length === 0) return;
    const texts = [];
    for (const trouble of troubles) texts.push(await this.text(trouble));
    await this.moving.needAttention(
      orderId,
      texts.join('. '),
      async (locking, locked) => fingerprint(await troublesOf(locking, locked, stuck)) === fingerprint(troubles),
    );
  }

  private async text({ item, purchase }: Trouble): Promise<string> {
    if (purchase !== null) return openPurchaseText({ ...purchase, failure: purchase.lastError });
    const { g2aProductId, quantity, saleIncomeCents: saleIncome } = item;
    return missingKeysText({
      g2aProductId,
      quantity,
      missing: piecesToBuy(item),
      obstacle: await this.matching.obstacle(),
      failure: await lastFailure(this.dataSource.manager, item.id),
      priceAsked: await this.choice.priceAsked(item),
      saleIncome,
    });
  }
}

async function troublesOf(
  manager: EntityManager,
  order: OrderProgress,
  stuck: Sending | undefined,
): Promise<readonly Trouble[]> {
  const troubles: Trouble[] = [];
  for (const item of await readItems(manager, order.id)) {
    if (item.keys >= item.quantity) continue;
    for (const { id } of item.livePurchases) {
      const purchase = await readPurchase(manager, id);
      // What was never sent has no outcome to wait for: it is sent, or ended, by itself.
      if (purchase === null || purchase.sendCount === 0) continue;
      const isStuck = purchase.state === 'unknown' && isSending(purchase, stuck);
      const wasTold = order.attentionReason?.includes(purchase.clientOrderId) === true;
      if (order.isPastDeadline || isStuck || wasTold) troubles.push({ item, purchase });
    }
    if (order.isPastDeadline && piecesToBuy(item) > 0) troubles.push({ item, purchase: null });
  }
  return troubles;
}

function isSending(purchase: PurchaseProgress, sending: Sending | undefined): boolean {
  return purchase.id === sending?.id && purchase.sendCount === sending.sendCount;
}

function fingerprint(troubles: readonly Trouble[]): string {
  return JSON.stringify(
    troubles.map(({ item, purchase }) => [
      item.id,
      item.keys,
      piecesToBuy(item),
      purchase?.id,
      purchase?.state,
      purchase?.sendCount,
      purchase?.isPastDeadline,
    ]),
  );
}

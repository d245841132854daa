import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { lastFailure } from './choose-supplier.queries.js';
import { ChooseSupplierService } from './choose-supplier.service.js';
import { MatchSupplierOrdersService } from './match-supplier-orders.service.js';
import { missingKeysText } from './missing-keys-text.rules.js';
import { MoveOrderService } from './move-order.service.js';
import { type ItemProgress, readItems } from './purchases.queries.js';

/** Tells a person, with the numbers, why keys of a paid order could not be bought in time. */
@Injectable()
export class TellMissingKeysService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly choice: ChooseSupplierService,
    private readonly matching: MatchSupplierOrdersService,
    private readonly moving: MoveOrderService,
  ) {}

  /** Of all items for which nothing is under way any more. Does nothing when that has changed meanwhile, or there is still time. */
  async tell(orderId: string): Promise<void> {
    const missing = (await readItems(this.dataSource.manager, orderId)).filter(isGivenUp);
    if (missing.length === 0) return;
    const texts = [];
    for (const item of missing) texts.push(await this.text(item));
    await this.moving.needAttention(orderId, texts.join('. '), async (manager, order) => {
      const still = new Set((await readItems(manager, orderId)).filter(isGivenUp).map(({ id }) => id));
      return order.isPastDeadline && missing.every(({ id }) => still.has(id));
    });
  }

  private async text(item: ItemProgress): Promise<string> {
    const { g2aProductId, quantity, keys, saleIncomeCents: saleIncome } = item;
    return missingKeysText({
      g2aProductId,
      quantity,
      missing: quantity - keys,
      obstacle: await this.matching.obstacle(),
      lastFailure: await lastFailure(this.dataSource.manager, item.id),
      priceAsked: await this.choice.priceAsked(item),
      saleIncome,
    });
  }
}

function isGivenUp({ keys, quantity, livePurchaseId }: ItemProgress): boolean {
  return keys < quantity && livePurchaseId === null;
}

import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { isUUID } from 'class-validator';
import { DataSource } from 'typeorm';
import { writeAudit } from '../audit/audit-log.js';
import { mappingStock } from '../catalog/supplier-products.queries.js';
import { KeyCipher } from './key-cipher.js';
import { deliverableKeys, findOrder, markDelivered } from './keys.queries.js';
import { OrderNotFoundError } from './order-errors.js';
import { totalAvailable } from './total-available.js';

/** A key in the customer's hands. `value` is empty for a file: its bytes have a route of their own. */
export interface DeliveredItem {
  readonly id: string;
  readonly value: string;
  readonly kind: 'text' | 'file';
}

/** One product of an order with the keys that have come so far. */
export interface DeliveredProduct {
  readonly g2aProductId: number;
  readonly inventorySize: number;
  readonly items: readonly DeliveredItem[];
}

/** Hands keys over. */
@Injectable()
export class DeliverKeysService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cipher: KeyCipher,
  ) {}

  /**
   * The keys of an order, the same on every call; a product whose keys have not come yet has none.
   * @param orderReference our UUID or the digits of the G2A order id.
   * @throws OrderNotFoundError
   */
  async inventory(orderReference: string): Promise<DeliveredProduct[]> {
    const { manager } = this.dataSource;
    const order = await findOrder(manager, parseReference(orderReference));
    if (order === null) throw new OrderNotFoundError();
    const keys = await deliverableKeys(manager, order.id);
    const stock = totalAvailable(
      order.items,
      await mappingStock(
        manager,
        order.items.map((item) => item.g2aProductId),
      ),
    );
    const fresh = keys.filter((key) => !key.isDelivered).map((key) => key.id);
    if (fresh.length > 0) await this.recordDelivery(order.id, fresh);
    return order.items.map((item, index) => ({
      g2aProductId: item.g2aProductId,
      inventorySize: stock[index]?.inventorySize ?? 0,
      items: keys
        .filter((key) => key.orderItemId === item.id)
        .map((key) => ({
          id: key.id,
          value: key.kind === 'text' ? this.cipher.decrypt(key, key.id) : '',
          kind: key.kind,
        })),
    }));
  }

  private async recordDelivery(orderId: string, keyIds: readonly string[]): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const count = await markDelivered(manager, keyIds);
      if (count === 0) return;
      await writeAudit(manager, 'g2a', [{ action: 'order.keys_delivered', subjectId: orderId, details: { count } }]);
    });
  }
}

function parseReference(reference: string): { orderId: string } | { g2aOrderId: number } {
  if (isUUID(reference)) return { orderId: reference };
  const g2aOrderId = /^\d{1,16}$/.test(reference) ? Number(reference) : NaN;
  if (!Number.isSafeInteger(g2aOrderId)) throw new OrderNotFoundError();
  return { g2aOrderId };
}

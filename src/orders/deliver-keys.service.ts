import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { inTransaction, onOneConnection } from '../database/one-connection.js';
import { AlertsService } from '../alerts/alerts.service.js';
import { writeAudit } from '../audit/audit-log.js';
import { AvailableStockService } from './available-stock.service.js';
import { KeyCipher } from './key-cipher.js';
import { type FileMimeType, readKeyFile, safeFileName } from './key-file.rules.js';
import { deliverableFile, deliverableKeys, markDelivered, orderItems } from './keys.queries.js';
import { orderIdByReference, possibleOrderId } from './order-by-reference.js';
import { ItemNotFoundError, OrderNotFoundError } from './order-errors.js';
import { lockOrder } from './purchases.queries.js';

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

/** A key that is a file, in the customer's hands. */
export interface DeliveredFile {
  readonly bytes: Buffer;
  /** Safe to save under; its extension says what `mimeType` says. */
  readonly fileName: string;
  readonly mimeType: FileMimeType;
}

export interface DeliveryOptions {
  /** False: the answer stays with us (HEAD asks for its headers alone), so no key counts as delivered. */
  readonly isDelivery: boolean;
}

/** Hands keys over. Order references are our UUID or the digits of the G2A order id. */
@Injectable()
export class DeliverKeysService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly cipher: KeyCipher,
    private readonly alerts: AlertsService,
    private readonly available: AvailableStockService,
  ) {}

  /**
   * The keys of an order, the same on every call; a product whose keys have not come yet has none.
   * @throws OrderNotFoundError
   */
  async inventory(orderReference: string, { isDelivery }: DeliveryOptions): Promise<DeliveredProduct[]> {
    const { manager } = this.dataSource;
    const id = await possibleOrderId(manager, orderReference);
    const [items, keys] = await onOneConnection(this.dataSource, (connected) =>
      Promise.all([orderItems(connected, id), deliverableKeys(connected, id)]),
    );
    if (items.length === 0) throw new OrderNotFoundError();
    const sizes = await this.available.recent(items.map((item) => item.g2aProductId));
    const products = items.map((item) => ({
      g2aProductId: item.g2aProductId,
      inventorySize: sizes.get(item.g2aProductId) ?? 0,
      items: keys
        .filter((key) => key.orderItemId === item.id)
        .map((key) => ({
          id: key.id,
          value: key.kind === 'text' ? this.cipher.decrypt(key, key.id) : '',
          kind: key.kind,
        })),
    }));
    // After the last step that may fail: what is noted as delivered does leave.
    const fresh = keys.filter((key) => key.kind === 'text' && !key.isDelivered).map((key) => key.id);
    if (!isDelivery || fresh.length === 0) return products;
    const withdrawn = await this.recordDelivery(id, fresh);
    return products.map((product) => ({
      ...product,
      items: product.items.filter((item) => !withdrawn.includes(item.id)),
    }));
  }

  /**
   * A key that is a file, the same on every call.
   * @throws OrderNotFoundError, or ItemNotFoundError for anything but a file of this order that may be handed over.
   */
  async file(orderReference: string, keyId: string, { isDelivery }: DeliveryOptions): Promise<DeliveredFile> {
    const { manager } = this.dataSource;
    const orderId = await orderIdByReference(manager, orderReference);
    const key = await deliverableFile(manager, orderId, keyId);
    if (key === null) throw new ItemNotFoundError();
    const file = readKeyFile(this.cipher.decrypt(key, key.id));
    if ('undeliverableReason' in file) {
      // Stored before files were looked at on their way in.
      await this.alerts.raise(
        'order_needs_attention',
        orderId,
        `a key came as a file that is not handed over (${file.undeliverableReason})`,
      );
      throw new ItemNotFoundError();
    }
    if (isDelivery && !key.isDelivered && (await this.recordDelivery(orderId, [key.id])).length > 0) {
      throw new ItemNotFoundError();
    }
    return { ...file, fileName: safeFileName(key.fileName, file.mimeType) };
  }

  /** @returns those that must not leave: since they were read they came back, or a person has settled the order without them. */
  private async recordDelivery(orderId: string, keyIds: readonly string[]): Promise<string[]> {
    return inTransaction(this.dataSource, async (manager) => {
      await lockOrder(manager, orderId);
      const owed = (await deliverableKeys(manager, orderId)).map(({ id }) => id);
      const count = await markDelivered(
        manager,
        keyIds.filter((id) => owed.includes(id)),
      );
      if (count > 0) {
        await writeAudit(manager, 'g2a', [{ action: 'order.keys_delivered', subjectId: orderId, details: { count } }]);
      }
      return keyIds.filter((id) => !owed.includes(id));
    });
  }
}

import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { writeAudit } from '../audit/audit-log.js';
import { countKeysOfOrder, markReturned } from './keys.queries.js';
import { orderIdByReference } from './order-by-reference.js';
import { ItemNotFoundError } from './order-errors.js';
import { lockOrder } from './purchases.queries.js';

/** Takes keys back. */
@Injectable()
export class ReturnKeysService {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * Takes these keys back, all or none. They are never delivered again, to anyone; nothing is bought in their place, and
   * what becomes of them is for a person to decide. Taking one back again changes nothing.
   * @param orderReference our UUID or the digits of the G2A order id.
   * @param keyIds UUIDs, each once.
   * @throws OrderNotFoundError, or ItemNotFoundError when one is not of this order.
   */
  async takeBack(orderReference: string, keyIds: readonly string[]): Promise<void> {
    await inTransaction(this.dataSource, async (manager) => {
      const orderId = await orderIdByReference(manager, orderReference);
      await lockOrder(manager, orderId);
      if ((await countKeysOfOrder(manager, orderId, keyIds)) < keyIds.length) throw new ItemNotFoundError();
      const returned = await markReturned(manager, keyIds);
      if (returned.length === 0) return;
      await writeAudit(manager, 'g2a', [
        {
          action: 'order.keys_returned',
          subjectId: orderId,
          details: { count: returned.length, keyIds: returned },
        },
      ]);
    });
  }
}

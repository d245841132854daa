import type { EntityManager } from 'typeorm';

/** A key about to be stored, already encrypted. */
export interface NewKey {
  readonly id: string;
  readonly cwsCodeId: string;
  readonly kind: 'text' | 'file';
  readonly ciphertext: Buffer;
  readonly encryptionKeyId: string;
  readonly fingerprint: Buffer;
  readonly fileName: string | null;
}

/**
 * Stores keys of a purchase. A supplier code or a value that is stored already is left alone, so that the same answer read
 * twice changes nothing.
 * @returns how many are new.
 */
export async function insertKeys(
  manager: EntityManager,
  owner: { purchaseId: string; orderItemId: string },
  keys: readonly NewKey[],
): Promise<number> {
  const rows = await manager.query<unknown[]>(
    `INSERT INTO keys (id, purchase_id, order_item_id, cws_code_id, kind, ciphertext, encryption_key_id, fingerprint, file_name)
     SELECT id, $1, $2, code, kind, ciphertext, key_id, fingerprint, file_name
     FROM unnest($3::uuid[], $4::text[], $5::text[], $6::bytea[], $7::text[], $8::bytea[], $9::text[])
       AS key (id, code, kind, ciphertext, key_id, fingerprint, file_name)
     ON CONFLICT DO NOTHING
     RETURNING id`,
    [
      owner.purchaseId,
      owner.orderItemId,
      keys.map((key) => key.id),
      keys.map((key) => key.cwsCodeId),
      keys.map((key) => key.kind),
      keys.map((key) => key.ciphertext),
      keys.map((key) => key.encryptionKeyId),
      keys.map((key) => key.fingerprint),
      keys.map((key) => key.fileName),
    ],
  );
  return rows.length;
}

/** A key to hand over. */
export interface DeliverableKey {
  readonly id: string;
  readonly orderItemId: string;
  readonly kind: 'text' | 'file';
  readonly ciphertext: Buffer;
  readonly encryptionKeyId: string;
  readonly isDelivered: boolean;
}

/** The keys owed to an order's items: not returned, never more than the quantity, always the same ones. */
export async function deliverableKeys(manager: EntityManager, orderId: string): Promise<DeliverableKey[]> {
  return manager.query<DeliverableKey[]>(
    `SELECT id, "orderItemId", kind, ciphertext, "encryptionKeyId", "isDelivered"
     FROM (
       SELECT key.id, key.order_item_id AS "orderItemId", key.kind, key.ciphertext,
         key.encryption_key_id AS "encryptionKeyId", key.first_delivered_at IS NOT NULL AS "isDelivered",
         item.quantity, row_number() OVER (PARTITION BY item.id ORDER BY key.created_at, key.id) AS place
       FROM keys key JOIN order_items item ON item.id = key.order_item_id
       WHERE item.order_id = $1 AND key.returned_at IS NULL
     ) key
     WHERE place <= quantity
     ORDER BY "orderItemId", place`,
    [orderId],
  );
}

/** Notes the first delivery of these keys. @returns how many were delivered for the first time. */
export async function markDelivered(manager: EntityManager, keyIds: readonly string[]): Promise<number> {
  const [, affected] = await manager.query<[unknown[], number]>(
    'UPDATE keys SET first_delivered_at = now() WHERE id = ANY ($1) AND first_delivered_at IS NULL',
    [keyIds],
  );
  return affected;
}

/** An order's id by our UUID or by G2A's order id, with its items. Null: there is none. */
export async function findOrder(
  manager: EntityManager,
  reference: { orderId: string } | { g2aOrderId: number },
): Promise<{ id: string; items: { id: string; g2aProductId: number }[] } | null> {
  const rows = await manager.query<{ orderId: string; id: string; g2aProductId: number }[]>(
    `SELECT orders.id AS "orderId", item.id, item.g2a_product_id AS "g2aProductId"
     FROM orders JOIN order_items item ON item.order_id = orders.id
     WHERE ${'orderId' in reference ? 'orders.id' : 'orders.g2a_order_id'} = $1
     ORDER BY item.g2a_product_id`,
    ['orderId' in reference ? reference.orderId : reference.g2aOrderId],
  );
  const [first] = rows;
  return first === undefined ? null : { id: first.orderId, items: rows };
}

import type { EntityManager } from 'typeorm';
import type { UndeliverableReason } from './key-file.rules.js';

/** A key about to be stored, already encrypted. */
export interface NewKey {
  readonly id: string;
  readonly cwsCodeId: string;
  readonly kind: 'text' | 'file';
  readonly ciphertext: Buffer;
  readonly encryptionKeyId: string;
  readonly fingerprint: Buffer;
  readonly fileName: string | null;
  readonly undeliverableReason: UndeliverableReason | null;
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
    `INSERT INTO keys (id, purchase_id, order_item_id, cws_code_id, kind, ciphertext, encryption_key_id, fingerprint,
       file_name, undeliverable_reason)
     SELECT id, $1, $2, code, kind, ciphertext, key_id, fingerprint, file_name, reason
     FROM unnest($3::uuid[], $4::text[], $5::text[], $6::bytea[], $7::text[], $8::bytea[], $9::text[], $10::text[])
       AS key (id, code, kind, ciphertext, key_id, fingerprint, file_name, reason)
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
      keys.map((key) => key.undeliverableReason),
    ],
  );
  return rows.length;
}

/**
 * The keys owed to an order's items ($1): never more than the quantity, always the same ones. One that was handed over or
 * returned keeps its place, so that no other key of the order is delivered in place of it.
 */
const DELIVERABLE_KEYS = `
  order_items item CROSS JOIN LATERAL (
    SELECT * FROM keys WHERE order_item_id = item.id
    ORDER BY undeliverable_reason IS NOT NULL, coalesce(first_delivered_at, returned_at), created_at, id
    LIMIT item.quantity
  ) key WHERE item.order_id = $1 AND key.returned_at IS NULL AND key.undeliverable_reason IS NULL`;

interface DeliverableItem {
  readonly id: string;
  readonly orderItemId: string;
  readonly isDelivered: boolean;
}

/** A key to hand over. A file's value is not among the columns: it may have megabytes. */
export type DeliverableKey = DeliverableItem &
  (
    | { readonly kind: 'text'; readonly ciphertext: Buffer; readonly encryptionKeyId: string }
    | { readonly kind: 'file'; readonly ciphertext: null }
  );

/** The keys to hand over of an order, in the order in which they came. */
export async function deliverableKeys(manager: EntityManager, orderId: string): Promise<DeliverableKey[]> {
  return manager.query<DeliverableKey[]>(
    `SELECT key.id, key.order_item_id AS "orderItemId", key.kind,
       CASE key.kind WHEN 'text' THEN key.ciphertext END AS ciphertext,
       key.encryption_key_id AS "encryptionKeyId", key.first_delivered_at IS NOT NULL AS "isDelivered"
     FROM ${DELIVERABLE_KEYS}
     ORDER BY item.id, key.created_at, key.id`,
    [orderId],
  );
}

/** A file to hand over. */
export interface DeliverableFile {
  readonly id: string;
  readonly fileName: string;
  readonly ciphertext: Buffer;
  readonly encryptionKeyId: string;
  readonly isDelivered: boolean;
}

/** One of an order's files, if it is among the keys to hand over. */
export async function deliverableFile(
  manager: EntityManager,
  orderId: string,
  keyId: string,
): Promise<DeliverableFile | null> {
  const rows = await manager.query<DeliverableFile[]>(
    `SELECT key.id, key.file_name AS "fileName", key.ciphertext, key.encryption_key_id AS "encryptionKeyId",
       key.first_delivered_at IS NOT NULL AS "isDelivered"
     FROM ${DELIVERABLE_KEYS} AND key.kind = 'file' AND key.id = $2`,
    [orderId, keyId],
  );
  return rows[0] ?? null;
}

/**
 * Notes the first delivery of these keys. To be called under the order's lock.
 * @returns how many were delivered for the first time.
 */
export async function markDelivered(manager: EntityManager, keyIds: readonly string[]): Promise<number> {
  const [, affected] = await manager.query<[unknown[], number]>(
    'UPDATE keys SET first_delivered_at = now() WHERE id = ANY ($1) AND first_delivered_at IS NULL',
    [keyIds],
  );
  return affected;
}

/** How many of these keys belong to the order. */
export async function countKeysOfOrder(
  manager: EntityManager,
  orderId: string,
  keyIds: readonly string[],
): Promise<number> {
  const [row] = await manager.query<[{ count: number }]>(
    `SELECT count(*)::integer AS count FROM keys key JOIN order_items item ON item.id = key.order_item_id
     WHERE item.order_id = $1 AND key.id = ANY ($2)`,
    [orderId, keyIds],
  );
  return row.count;
}

/**
 * Notes that these keys came back. To be called under the order's lock.
 * @returns those that had not come back before.
 */
export async function markReturned(manager: EntityManager, keyIds: readonly string[]): Promise<string[]> {
  const [rows] = await manager.query<[{ id: string }[], number]>(
    'UPDATE keys SET returned_at = now() WHERE id = ANY ($1) AND returned_at IS NULL RETURNING id',
    [keyIds],
  );
  return rows.map((row) => row.id);
}

/** An order's id by our UUID or by G2A's order id. Null: there is none. */
export async function findOrderId(
  manager: EntityManager,
  reference: { orderId: string } | { g2aOrderId: number },
): Promise<string | null> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT id FROM orders WHERE ${'orderId' in reference ? 'id' : 'g2a_order_id'} = $1`,
    ['orderId' in reference ? reference.orderId : reference.g2aOrderId],
  );
  return rows[0]?.id ?? null;
}

/** The items of an order; none: there is no such order. */
export async function orderItems(
  manager: EntityManager,
  orderId: string,
): Promise<{ readonly id: string; readonly g2aProductId: number }[]> {
  return manager.query<{ id: string; g2aProductId: number }[]>(
    'SELECT id, g2a_product_id AS "g2aProductId" FROM order_items WHERE order_id = $1 ORDER BY g2a_product_id',
    [orderId],
  );
}

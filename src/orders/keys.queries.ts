import type { EntityManager } from 'typeorm';
import type { UndeliverableReason } from './key-file.rules.js';
import { IS_SETTLED_BY_HAND } from './purchases.queries.js';

/** A key about to be stored, already encrypted. */
export interface NewKey {
  readonly id: string;
  readonly cwsCodeId: string;
  readonly kind: 'text' | 'file';
  readonly ciphertext: Buffer;
  readonly encryptionKeyId: string;
  readonly fingerprint: Buffer;
  /** What its fingerprint would be in rows that were not re-encrypted since the encryption key was replaced. */
  readonly formerFingerprints: readonly Buffer[];
  readonly fileName: string | null;
  readonly undeliverableReason: UndeliverableReason | null;
}

/** What became of keys that were to be stored. */
export interface InsertedKeys {
  /** Supplier codes that are stored now and were not before. */
  readonly stored: ReadonlySet<string>;
  /** Supplier codes that were not stored because they, or others with the same value, were sold with another purchase. */
  readonly soldTwice: readonly string[];
}

/**
 * Stores keys of a purchase. A supplier code or a value that is stored already is left alone, so that the same answer read
 * twice changes nothing.
 */
export async function insertKeys(
  manager: EntityManager,
  owner: { purchaseId: string; orderItemId: string },
  keys: readonly NewKey[],
): Promise<InsertedKeys> {
  if (keys.length === 0) return { stored: new Set(), soldTwice: [] };
  // A row that is re-encrypted at this moment has its former fingerprint here, or its new one at the insert.
  const former = await storedFingerprints(
    manager,
    keys.flatMap((key) => key.formerFingerprints),
  );
  const fresh = keys.filter((key) => !key.formerFingerprints.some((print) => former.has(print.toString('hex'))));
  const inserted = await manager.query<{ code: string }[]>(
    `INSERT INTO keys (id, purchase_id, order_item_id, cws_code_id, kind, ciphertext, encryption_key_id, fingerprint,
       file_name, undeliverable_reason)
     SELECT id, $1, $2, code, kind, ciphertext, key_id, fingerprint, file_name, reason
     FROM unnest($3::uuid[], $4::text[], $5::text[], $6::bytea[], $7::text[], $8::bytea[], $9::text[], $10::text[])
       AS key (id, code, kind, ciphertext, key_id, fingerprint, file_name, reason)
     ON CONFLICT DO NOTHING
     RETURNING cws_code_id AS code`,
    [
      owner.purchaseId,
      owner.orderItemId,
      fresh.map((key) => key.id),
      fresh.map((key) => key.cwsCodeId),
      fresh.map((key) => key.kind),
      fresh.map((key) => key.ciphertext),
      fresh.map((key) => key.encryptionKeyId),
      fresh.map((key) => key.fingerprint),
      fresh.map((key) => key.fileName),
      fresh.map((key) => key.undeliverableReason),
    ],
  );
  const stored = new Set(inserted.map(({ code }) => code));
  if (stored.size === keys.length) return { stored, soldTwice: [] };
  const known = await storedCodes(
    manager,
    keys.map((key) => key.cwsCodeId),
  );
  // Not stored, or stored for another purchase.
  const soldTwice = keys.map((key) => key.cwsCodeId).filter((code) => known.get(code) !== owner.purchaseId);
  return { stored, soldTwice };
}

async function storedFingerprints(manager: EntityManager, fingerprints: readonly Buffer[]): Promise<Set<string>> {
  if (fingerprints.length === 0) return new Set();
  const rows = await manager.query<{ fingerprint: Buffer }[]>(
    'SELECT fingerprint FROM keys WHERE fingerprint = ANY ($1)',
    [fingerprints],
  );
  return new Set(rows.map((row) => row.fingerprint.toString('hex')));
}

/** Those of these supplier codes that are stored, and the purchase that each was stored for. */
export async function storedCodes(manager: EntityManager, cwsCodeIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await manager.query<{ code: string; purchaseId: string }[]>(
    'SELECT cws_code_id AS code, purchase_id AS "purchaseId" FROM keys WHERE cws_code_id = ANY ($1)',
    [cwsCodeIds],
  );
  return new Map(rows.map(({ code, purchaseId }) => [code, purchaseId]));
}

/**
 * Which of an item's keys come first. One that was handed over or returned keeps its place, so that no other key of the
 * order is delivered in place of it.
 */
const KEY_PRECEDENCE = `key.undeliverable_reason IS NOT NULL, coalesce(key.first_delivered_at, key.returned_at),
  key.created_at, key.id`;

/** The keys owed to an order's items ($1): never more than the quantity, always the same ones. */
const DELIVERABLE_KEYS = `
  orders JOIN order_items item ON item.order_id = orders.id CROSS JOIN LATERAL (
    SELECT * FROM keys key WHERE key.order_item_id = item.id ORDER BY ${KEY_PRECEDENCE} LIMIT item.quantity
  ) key WHERE orders.id = $1 AND key.returned_at IS NULL AND key.undeliverable_reason IS NULL
    AND (key.first_delivered_at IS NOT NULL OR NOT ${IS_SETTLED_BY_HAND})`;

/** Select list and joins of all keys with whether each is spare: paid for, and owed to nobody. */
export const KEYS_WITH_SPARE = `
  SELECT key.*, item.order_id,
    key.first_delivered_at IS NULL AND (${IS_SETTLED_BY_HAND}
      OR row_number() OVER (PARTITION BY item.id ORDER BY ${KEY_PRECEDENCE}) > item.quantity) AS is_spare
  FROM keys key JOIN order_items item ON item.id = key.order_item_id JOIN orders ON orders.id = item.order_id`;

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
 * Notes the first delivery of these keys of `deliverableKeys`. To be called under the order's lock.
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

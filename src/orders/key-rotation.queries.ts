import type { EntityManager } from 'typeorm';
import type { EncryptedKey } from './key-cipher.js';

/** How many stored keys are encrypted under an encryption key. */
export interface EncryptionKeyUse {
  readonly encryptionKeyId: string;
  readonly keys: number;
}

export async function encryptionKeyUse(manager: EntityManager): Promise<EncryptionKeyUse[]> {
  return manager.query<EncryptionKeyUse[]>(
    `SELECT encryption_key_id AS "encryptionKeyId", count(*)::integer AS keys FROM keys
     GROUP BY encryption_key_id ORDER BY encryption_key_id`,
  );
}

/** A stored key as it is encrypted. */
export interface StoredKey extends EncryptedKey {
  readonly id: string;
}

/**
 * The next keys that are not encrypted under `encryptionKeyId`, in the order of ids: up to `limit` of them, and, because files
 * may have megabytes, about `bytes` in all.
 * @param afterId only those with a larger id.
 */
export async function keysToRotate(
  manager: EntityManager,
  criteria: { encryptionKeyId: string; afterId: string; limit: number; bytes: number },
): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT id FROM (
       SELECT id, sum(size) OVER (ORDER BY id) - size AS bytes_before
       FROM (
         SELECT id, octet_length(ciphertext) AS size FROM keys
         WHERE encryption_key_id <> $1 AND id > $2 ORDER BY id LIMIT $3
       ) candidate
     ) sized WHERE bytes_before < $4 ORDER BY id`,
    [criteria.encryptionKeyId, criteria.afterId, criteria.limit, criteria.bytes],
  );
  return rows.map((row) => row.id);
}

/**
 * Locks those of these keys that are still not encrypted under `encryptionKeyId`, until the transaction ends. What somebody is
 * working on is passed over: waiting for it while holding others could deadlock.
 */
export async function lockKeys(
  manager: EntityManager,
  encryptionKeyId: string,
  ids: readonly string[],
): Promise<StoredKey[]> {
  return manager.query<StoredKey[]>(
    `SELECT id, ciphertext, encryption_key_id AS "encryptionKeyId" FROM keys
     WHERE id = ANY ($2) AND encryption_key_id <> $1 ORDER BY id FOR UPDATE SKIP LOCKED`,
    [encryptionKeyId, ids],
  );
}

/** A key encrypted anew. */
export interface RotatedKey extends StoredKey {
  readonly fingerprint: Buffer;
}

/**
 * Replaces what is stored of these keys. One whose value another row has already keeps its former fingerprint: a fingerprint
 * exists once, and that of the other row recognizes the value.
 * @returns ids of those.
 */
export async function updateRotatedKeys(manager: EntityManager, keys: readonly RotatedKey[]): Promise<string[]> {
  const [rows] = await manager.query<[{ id: string; isDouble: boolean }[], number]>(
    `WITH rotated AS (
       SELECT *, row_number() OVER (PARTITION BY fingerprint ORDER BY id) > 1
         OR EXISTS (SELECT FROM keys WHERE keys.fingerprint = fresh.fingerprint AND keys.id <> fresh.id) AS is_double
       FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::bytea[])
         AS fresh (id, ciphertext, encryption_key_id, fingerprint)
     )
     UPDATE keys SET ciphertext = rotated.ciphertext, encryption_key_id = rotated.encryption_key_id,
       fingerprint = CASE WHEN is_double THEN keys.fingerprint ELSE rotated.fingerprint END
     FROM rotated WHERE keys.id = rotated.id
     RETURNING keys.id, is_double AS "isDouble"`,
    [
      keys.map((key) => key.id),
      keys.map((key) => key.ciphertext),
      keys.map((key) => key.encryptionKeyId),
      keys.map((key) => key.fingerprint),
    ],
  );
  return rows.filter((row) => row.isDouble).map((row) => row.id);
}

import type { EntityManager } from 'typeorm';

/** So long after it was asked for, an offer that the whole listing still lacks has not been created. */
const SETTLED_AFTER_SECONDS = 600;

/**
 * Notes that an offer of this product is about to be asked for.
 * @returns false when it must not be: an earlier attempt may still create one, or it is not time yet.
 */
export async function recordCreating(manager: EntityManager, g2aProductId: number): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    `WITH creating AS (
       INSERT INTO offer_creations AS earlier (g2a_product_id, sent_at)
       SELECT $1, clock_timestamp() WHERE NOT EXISTS (SELECT 1 FROM offers WHERE g2a_product_id = $1)
       ON CONFLICT (g2a_product_id) DO UPDATE SET sent_at = excluded.sent_at, is_settled = false, job_id = NULL
         WHERE earlier.is_settled AND coalesce(earlier.retry_at <= now(), true)
       RETURNING g2a_product_id
     )
     INSERT INTO audit_log (actor, action, subject_type, subject_id, details)
     SELECT 'sync', 'offer.creating', 'offer', g2a_product_id::text, jsonb_build_object('g2aProductId', g2a_product_id)
     FROM creating RETURNING id`,
    [g2aProductId],
  );
  return rows.length > 0;
}

/** G2A has named the job that creates it. */
export async function recordCreationJob(manager: EntityManager, g2aProductId: number, jobId: string): Promise<void> {
  await manager.query('UPDATE offer_creations SET job_id = $2 WHERE g2a_product_id = $1', [g2aProductId, jobId]);
}

/** Nothing was sent after all: it may be tried again at once. */
export async function recordCreationNotSent(manager: EntityManager, g2aProductId: number): Promise<void> {
  await manager.query('UPDATE offer_creations SET is_settled = true WHERE g2a_product_id = $1', [g2aProductId]);
}

/** It is certain that nothing was created: tried again after a gap that doubles from a minute to a day. */
export async function recordNotCreated(manager: EntityManager, g2aProductId: number, error: string): Promise<void> {
  await manager.query(
    `UPDATE offer_creations SET is_settled = true, job_id = NULL, failure_count = failure_count + 1,
       last_error = left($2, 500),
       retry_at = now() + make_interval(secs => least(60 * 2 ^ least(failure_count, 11), 86400))
     WHERE g2a_product_id = $1`,
    [g2aProductId, error],
  );
}

/** Nobody knows whether it was created: only the listing tells. */
export async function recordUnclearCreation(
  manager: EntityManager,
  g2aProductId: number,
  error: string,
): Promise<void> {
  await manager.query(
    'UPDATE offer_creations SET job_id = NULL, last_error = left($2, 500) WHERE g2a_product_id = $1',
    [g2aProductId, error],
  );
}

/** Creations whose job may tell the offer by now, longest under way first. */
export async function creationJobs(
  manager: EntityManager,
  limit: number,
): Promise<{ readonly g2aProductId: number; readonly jobId: string }[]> {
  return manager.query(
    `SELECT g2a_product_id AS "g2aProductId", job_id AS "jobId" FROM offer_creations
     WHERE job_id IS NOT NULL ORDER BY sent_at LIMIT $1`,
    [limit],
  );
}

/**
 * Attempts of which the whole listing, begun long after them, shows nothing have come to nothing, be there a job or not.
 * @param missing products without an offer in that listing.
 */
export async function settleCreations(
  manager: EntityManager,
  missing: readonly number[],
  listedAt: Date,
): Promise<void> {
  await manager.query(
    `UPDATE offer_creations SET is_settled = true, job_id = NULL
     WHERE g2a_product_id = ANY ($1) AND NOT is_settled
       AND sent_at < $2::timestamptz - make_interval(secs => ${SETTLED_AFTER_SECONDS})`,
    [missing, listedAt],
  );
}

/** Those among these products that have no offer and may be given one now. */
export async function productsToCreate(
  manager: EntityManager,
  missing: readonly number[],
  limit: number,
): Promise<number[]> {
  const rows = await manager.query<{ product: number }[]>(
    `SELECT mapping.g2a_product_id AS product FROM product_mappings mapping
     LEFT JOIN offer_creations earlier ON earlier.g2a_product_id = mapping.g2a_product_id
     WHERE mapping.g2a_product_id = ANY ($1) AND mapping.is_enabled
       AND NOT EXISTS (SELECT 1 FROM offers WHERE g2a_product_id = mapping.g2a_product_id)
       AND (earlier.g2a_product_id IS NULL OR earlier.is_settled AND coalesce(earlier.retry_at <= now(), true))
     -- Whatever is out of stock now must not keep its turn from the others.
     ORDER BY random() LIMIT $2`,
    [missing, limit],
  );
  return rows.map((row) => row.product);
}

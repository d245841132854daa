import type { EntityManager } from 'typeorm';
import type { OfferTrouble } from './offer-changes.queries.js';
import { QUARANTINE_FAILURES } from './offer-changes.queries.js';

/** G2A took a stop and named the job that does it: that job is asked about from two seconds on. */
export async function recordStopJob(manager: EntityManager, g2aOfferId: string, jobId: string): Promise<void> {
  await manager.query(
    `UPDATE offers SET stop_job_id = $2, stop_job_due_at = now() + interval '2 seconds'
     WHERE g2a_offer_id = $1 AND NOT sent_is_active`,
    [g2aOfferId, jobId],
  );
}

/** A job that tells whether a stop has happened. */
export interface StopJob {
  readonly g2aOfferId: string;
  readonly jobId: string;
}

/**
 * Stops that are to be asked about now, longest due first. Each is next due after twice as long as it is under way, up to 30 s:
 * a job of 15 s costs three questions, and one that never ends six until the stop counts as lost. One that is being written waits for its next turn, so that this
 * and another writer of many offers never wait for each other.
 */
export async function takeDueStopJobs(manager: EntityManager, limit: number): Promise<StopJob[]> {
  const [rows] = await manager.query<[StopJob[], number]>(
    `UPDATE offers SET stop_job_due_at = now() + least(greatest(2 * (now() - sent_at), interval '2 seconds'), interval '30 seconds')
     WHERE g2a_offer_id IN (
       SELECT g2a_offer_id FROM offers WHERE stop_job_due_at <= now() ORDER BY stop_job_due_at LIMIT $1
       FOR UPDATE SKIP LOCKED)
     RETURNING g2a_offer_id AS "g2aOfferId", stop_job_id AS "jobId"`,
    [limit],
  );
  return rows;
}

/** Still the offer's last word, and not another stop's job. */
const IS_THIS_STOP = 'g2a_offer_id = $1 AND stop_job_id = $2 AND NOT sent_is_active';

/**
 * The job is done: the offer is off. A price that was sent before may still be on its way. One that is off only because G2A
 * refuses its price has not recovered by that.
 * @returns the offer if it had failed before, else null.
 */
export async function confirmStop(
  manager: EntityManager,
  { g2aOfferId, jobId }: StopJob,
): Promise<OfferTrouble | null> {
  const rows = await manager.query<OfferTrouble[]>(
    `WITH before AS (
       SELECT g2a_offer_id, failure_count > 0 AND NOT desired_is_active AS is_recovered FROM offers WHERE ${IS_THIS_STOP} FOR UPDATE
     ), confirmed AS (
       UPDATE offers SET observed_is_active = false, observed_size = 0, sent_is_active = NULL, sent_size = NULL,
         sent_at = CASE WHEN coalesce(sent_price_cents, sent_business_price_cents, sent_lowest_price_cents) IS NOT NULL
           THEN sent_at END,
         stop_job_id = NULL, stop_job_due_at = NULL,
         failure_count = CASE WHEN desired_is_active THEN offers.failure_count ELSE 0 END,
         retry_at = CASE WHEN desired_is_active THEN retry_at END,
         last_error = CASE WHEN desired_is_active THEN last_error END,
         quarantined_at = CASE WHEN desired_is_active THEN quarantined_at END
       FROM before WHERE offers.g2a_offer_id = before.g2a_offer_id
     )
     SELECT g2a_offer_id AS "g2aOfferId", 0 AS "failureCount", false AS "isQuarantined", NULL AS "lastError",
       true AS "isRecovered"
     FROM before WHERE is_recovered`,
    [g2aOfferId, jobId],
  );
  return rows[0] ?? null;
}

/**
 * The job has failed: the offer is on sale, with as much as an earlier change may have said, and is stopped again at once; after more failures in a row, after
 * a gap of up to 30 s.
 */
export async function failStop(
  manager: EntityManager,
  { g2aOfferId, jobId }: StopJob,
  error: string,
): Promise<OfferTrouble | null> {
  const rows = await manager.query<OfferTrouble[]>(
    `WITH failed AS (
       UPDATE offers SET sent_is_active = NULL, sent_size = NULL, stop_job_id = NULL, stop_job_due_at = NULL,
         observed_is_active = true, observed_size = NULL,
         failure_count = failure_count + 1, last_error = left($3, 500),
         quarantined_at = CASE WHEN failure_count + 1 >= ${QUARANTINE_FAILURES} THEN coalesce(quarantined_at, now()) END,
         retry_at = CASE WHEN failure_count > 0
           THEN now() + make_interval(secs => least(5 * 2 ^ least(failure_count, 10), 30)) END
       WHERE ${IS_THIS_STOP}
       RETURNING g2a_offer_id, failure_count, quarantined_at, last_error
     ), audited AS (
       INSERT INTO audit_log (actor, action, subject_type, subject_id, details)
       SELECT 'sync', 'offer.refused', 'offer', g2a_offer_id, jsonb_build_object('error', last_error) FROM failed
     )
     SELECT g2a_offer_id AS "g2aOfferId", failure_count AS "failureCount", quarantined_at IS NOT NULL AS "isQuarantined",
       last_error AS "lastError", false AS "isRecovered"
     FROM failed`,
    [g2aOfferId, jobId, error],
  );
  return rows[0] ?? null;
}

/** Nobody tells how the job stands: the listing decides. */
export async function forgetStopJob(manager: EntityManager, { g2aOfferId, jobId }: StopJob): Promise<void> {
  await manager.query(
    'UPDATE offers SET stop_job_id = NULL, stop_job_due_at = NULL WHERE g2a_offer_id = $1 AND stop_job_id = $2',
    [g2aOfferId, jobId],
  );
}

import type { EntityManager } from 'typeorm';
import {
  type FeedVerdicts,
  PASSES_TO_ANNOUNCE,
  SECONDS_TO_ANNOUNCE,
  SECONDS_TO_ANNOUNCE_LATE,
  VERDICT_WINDOW_SECONDS,
} from './feed-trust.rules.js';

/** The feed has mentioned these products: it has not missed what we found there, though it may have been thought so. */
export async function markAnnounced(manager: EntityManager, cwsProductIds: readonly string[]): Promise<void> {
  await manager.query(
    `UPDATE unannounced_changes SET verdict = 'announced', judged_at = now()
     WHERE cws_product_id = ANY ($1)
       AND (verdict IS NULL OR verdict = 'missed' AND found_at > now() - make_interval(secs => $2))`,
    [cwsProductIds, SECONDS_TO_ANNOUNCE_LATE],
  );
}

/**
 * A complete pass is over: what was found well before it started and not announced was missed, if it was not the first such pass.
 * Forgets what was judged more than an hour ago, longer than a verdict counts for anything.
 * @param foundBefore when it started; null: nothing follows from it.
 */
export async function judgeUnannounced(manager: EntityManager, foundBefore: Date | null): Promise<FeedVerdicts> {
  await manager.query(
    `WITH forgotten AS (DELETE FROM unannounced_changes WHERE judged_at < now() - interval '1 hour')
     UPDATE unannounced_changes SET
       passes = passes + 1,
       verdict = CASE WHEN is_missed THEN 'missed' END,
       judged_at = CASE WHEN is_missed THEN now() END
     FROM (
       SELECT id AS change_id,
         passes + 1 >= $2 AND found_at <= $1::timestamptz - make_interval(secs => $3) AS is_missed
       FROM unannounced_changes WHERE verdict IS NULL AND found_at < $1::timestamptz
     ) judged
     WHERE id = change_id AND verdict IS NULL`,
    [foundBefore, PASSES_TO_ANNOUNCE, SECONDS_TO_ANNOUNCE],
  );
  const [verdicts] = await manager.query<[FeedVerdicts]>(
    `SELECT count(*) FILTER (WHERE is_recent AND verdict = 'missed') AS missed,
       count(*) FILTER (WHERE is_recent) AS judged,
       max(judged_at) FILTER (WHERE verdict = 'missed') AS "lastMissedAt"
     FROM (
       SELECT verdict, judged_at, judged_at >= now() - make_interval(secs => $1) AS is_recent
       FROM unannounced_changes WHERE verdict IS NOT NULL
     ) judged`,
    [VERDICT_WINDOW_SECONDS],
  );
  return verdicts;
}

/** So many changes at once are no chance: a sale, or another currency rate. The sweep then finds some of thousands before the next pass does. */
const MANY_CHANGES = 50;

/** Whether the sweep has found many changes of which the feed, which is believed, could not tell yet: its last complete pass began before. */
export async function isFeedBehindSweep(manager: EntityManager): Promise<boolean> {
  const [row] = await manager.query<[{ isBehind: boolean }]>(
    `SELECT EXISTS (
       SELECT FROM unannounced_changes change JOIN sync_cursors feed ON feed.name = 'cws_products'
       WHERE change.verdict IS NULL AND change.found_at > feed.pass_started_at AND feed.unreliable_since IS NULL
       OFFSET $1 - 1
     ) AS "isBehind"`,
    [MANY_CHANGES],
  );
  return row.isBehind;
}

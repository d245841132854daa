import type { EntityManager } from 'typeorm';

/** The one feed that is read; catalog/ reads its freshness and whether it is believed by this name. */
const FEED = 'cws_products';

/** How far the feed was read, and whether it is believed. */
export interface FeedState {
  /** Where the next pass starts. */
  readonly position: Date;
  readonly passStartedAt: Date;
  /** Null: it is believed. */
  readonly unreliableSince: Date | null;
}

/** Null before the first pass. */
export async function feedState(manager: EntityManager): Promise<FeedState | null> {
  const [row] = await manager.query<FeedState[]>(
    `SELECT position, pass_started_at AS "passStartedAt", unreliable_since AS "unreliableSince" FROM sync_cursors WHERE name = $1`,
    [FEED],
  );
  return row ?? null;
}

/**
 * A complete pass that started at `startedAt` (database time) is stored with this transaction. Never moves backwards.
 * @param unreliableSince what is thought of the feed from now on.
 */
export async function advanceCursor(
  manager: EntityManager,
  startedAt: Date,
  unreliableSince: Date | null,
): Promise<void> {
  await manager.query(
    `INSERT INTO sync_cursors AS stored (name, position, pass_started_at, unreliable_since) VALUES ($1, $2, $2, $3)
     ON CONFLICT (name) DO UPDATE SET
       position = greatest(stored.position, excluded.position),
       pass_started_at = greatest(stored.pass_started_at, excluded.pass_started_at),
       unreliable_since = excluded.unreliable_since`,
    [FEED, startedAt, unreliableSince],
  );
}

/** The sweep has asked for every mapped product once. Before the first pass of the feed there is nowhere to keep it, and no need. */
export async function storeSweepCycle(manager: EntityManager, seconds: number): Promise<void> {
  await manager.query('UPDATE sync_cursors SET sweep_cycle_seconds = $2 WHERE name = $1', [FEED, seconds]);
}

import type { EntityManager } from 'typeorm';

/** The one feed that is read; catalog/ reads its freshness and whether it is believed by this name. */
const FEED = 'cws_products';

/** How far the feed was read, and whether it is believed. */
export interface FeedState {
  /** Where the next pass starts, by CWS's clock as far as we know it. */
  readonly position: Date;
  /** The same of the last pass with the whole overlap; null: there was none. */
  readonly rereadPosition: Date | null;
  readonly passStartedAt: Date;
  /** Null: it is believed. */
  readonly unreliableSince: Date | null;
  /** How long the sweep last took to ask for everything; null: not measured yet. */
  readonly sweepCycleSeconds: number | null;
}

/** Null before the first pass. */
export async function feedState(manager: EntityManager): Promise<FeedState | null> {
  const [row] = await manager.query<FeedState[]>(
    `SELECT position, reread_position AS "rereadPosition", pass_started_at AS "passStartedAt",
       unreliable_since AS "unreliableSince", sweep_cycle_seconds AS "sweepCycleSeconds"
     FROM sync_cursors WHERE name = $1`,
    [FEED],
  );
  return row ?? null;
}

/** A complete pass over what changed. */
export interface FinishedPass {
  /** Database time. */
  readonly startedAt: Date;
  /** The same by CWS's clock, as far as we know it. */
  readonly position: Date;
  /** Whether it had the whole overlap. */
  readonly isReread: boolean;
}

/**
 * The pass is stored with this transaction. Its start never moves backwards. The position may: the supplier's clock was thought to
 * be ahead of what it is, and what is read twice does no harm.
 * @param unreliableSince what is thought of the feed from now on.
 */
export async function advanceCursor(
  manager: EntityManager,
  { startedAt, position, isReread }: FinishedPass,
  unreliableSince: Date | null,
): Promise<void> {
  await manager.query(
    `INSERT INTO sync_cursors AS stored (name, position, reread_position, pass_started_at, unreliable_since)
     VALUES ($1, $2, CASE WHEN $3 THEN $2::timestamptz END, $4, $5)
     ON CONFLICT (name) DO UPDATE SET
       position = excluded.position,
       reread_position = coalesce(excluded.reread_position, stored.reread_position),
       pass_started_at = greatest(stored.pass_started_at, excluded.pass_started_at),
       unreliable_since = excluded.unreliable_since`,
    [FEED, position, isReread, startedAt, unreliableSince],
  );
}

/** The sweep has asked for every mapped product once. Before the first pass of the feed there is nowhere to keep it, and no need. */
export async function storeSweepCycle(manager: EntityManager, seconds: number): Promise<void> {
  await manager.query('UPDATE sync_cursors SET sweep_cycle_seconds = $2 WHERE name = $1', [FEED, seconds]);
}

import type { EntityManager } from 'typeorm';

/** The one feed that is read; mapping-stock.queries.ts in catalog/ reads its freshness by this name. */
const FEED = 'cws_products';

/** Where the next feed pass starts, or null before the first. */
export async function readCursor(manager: EntityManager): Promise<Date | null> {
  const [row] = await manager.query<{ position: Date }[]>('SELECT position FROM sync_cursors WHERE name = $1', [FEED]);
  return row?.position ?? null;
}

/** A complete pass that started at `startedAt` (database time) has been stored. Never moves backwards. */
export async function advanceCursor(manager: EntityManager, startedAt: Date): Promise<void> {
  await manager.query(
    `INSERT INTO sync_cursors AS stored (name, position, pass_started_at) VALUES ($1, $2, $2)
     ON CONFLICT (name) DO UPDATE SET
       position = greatest(stored.position, excluded.position),
       pass_started_at = greatest(stored.pass_started_at, excluded.pass_started_at)`,
    [FEED, startedAt],
  );
}

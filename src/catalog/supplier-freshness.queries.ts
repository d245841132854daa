import type { EntityManager } from 'typeorm';

/** While the feed is unreliable the sweep alone brings news, and a product may have to wait for longer than one cycle of it. */
const SWEEP_CYCLES = 1.5;

/**
 * How old the supplier's state may be for offers to be sold on it: as configured, and while the feed is unreliable at least one
 * and a half of the measured cycles of the sweep, or most of a large catalog would be switched off although all is well.
 * @param configuredSeconds STALE_AFTER_SECONDS.
 */
export async function staleAfterSeconds(manager: EntityManager, configuredSeconds: number): Promise<number> {
  const [row] = await manager.query<{ cycle: number | null }[]>(
    `SELECT sweep_cycle_seconds AS cycle FROM sync_cursors
     WHERE name = 'cws_products' AND unreliable_since IS NOT NULL`,
  );
  return Math.max(configuredSeconds, SWEEP_CYCLES * (row?.cycle ?? 0));
}

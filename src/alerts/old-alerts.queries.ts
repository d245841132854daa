import type { EntityManager } from 'typeorm';

/**
 * Deletes up to `limit` alerts that were cleared more than `keptDays` ago. Open ones stay, however old.
 * @returns how many.
 */
export async function deleteOldAlerts(manager: EntityManager, keptDays: number, limit: number): Promise<number> {
  const [, affected] = await manager.query<[unknown[], number]>(
    `DELETE FROM alerts WHERE id IN (
       SELECT id FROM alerts WHERE cleared_at < now() - make_interval(days => $1) LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [keptDays, limit],
  );
  return affected;
}

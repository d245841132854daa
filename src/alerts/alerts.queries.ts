import type { EntityManager } from 'typeorm';
import type { Alert } from './alert.entity.js';

/** Open alerts, oldest first. */
export async function openAlerts(manager: EntityManager): Promise<Alert[]> {
  return manager.query<Alert[]>(
    `SELECT id, kind, subject, message, raised_count AS "raisedCount", first_raised_at AS "firstRaisedAt",
       last_raised_at AS "lastRaisedAt", cleared_at AS "clearedAt"
     FROM alerts WHERE cleared_at IS NULL ORDER BY first_raised_at, id`,
  );
}

/** Closes one alert. @returns its id; null when none of this kind and subject was open. */
export async function clearAlert(manager: EntityManager, kind: string, subject: string): Promise<string | null> {
  const [[cleared]] = await manager.query<[{ id: string }[], number]>(
    'UPDATE alerts SET cleared_at = now() WHERE kind = $1 AND subject = $2 AND cleared_at IS NULL RETURNING id',
    [kind, subject],
  );
  return cleared?.id ?? null;
}

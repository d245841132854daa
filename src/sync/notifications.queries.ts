import type { EntityManager } from 'typeorm';

/** A notification about to be stored. */
export interface NewNotification {
  readonly contentHash: Buffer;
  readonly type: string;
  readonly occurredAt: Date | null;
  readonly auctionId: number | null;
  readonly offerId: string | null;
  readonly message: string | null;
  readonly payload: string | null;
}

/** Stores a notification. @returns false when one that says the same is stored already. */
export async function insertNotification(manager: EntityManager, notification: NewNotification): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    `INSERT INTO notifications (content_hash, type, occurred_at, auction_id, offer_id, message, payload)
     VALUES ($1, $2, $3, $4, $5, $6, left($7, 4000))
     ON CONFLICT DO NOTHING
     RETURNING id`,
    [
      notification.contentHash,
      notification.type,
      notification.occurredAt,
      notification.auctionId,
      notification.offerId,
      notification.message,
      notification.payload,
    ],
  );
  return rows.length > 0;
}

/** Days for which a deactivation of an offer that we do not follow is remembered. */
const REMEMBERED_DAYS = 7;

/** What G2A last said about switching off each of these offers, if that was lately. */
export async function recentDeactivations(
  manager: EntityManager,
  g2aOfferIds: readonly string[],
): Promise<{ readonly offerId: string; readonly message: string }[]> {
  if (g2aOfferIds.length === 0) return [];
  return manager.query<{ offerId: string; message: string }[]>(
    `SELECT DISTINCT ON (offer_id) offer_id AS "offerId", coalesce(message, '') AS message FROM notifications
     WHERE type = 'auction_deactivated' AND offer_id = ANY ($1) AND received_at > now() - make_interval(days => $2)
     ORDER BY offer_id, id DESC`,
    [g2aOfferIds, REMEMBERED_DAYS],
  );
}

/**
 * Deletes up to `limit` notifications that arrived more than `keptDays` ago, the oldest first. What they led to stands with the
 * offer, in the alert and in the audit log.
 * @param keptDays more than those for which a deactivation is remembered; G2A's repeats must have ended by then.
 * @returns how many.
 */
export async function deleteOldNotifications(manager: EntityManager, keptDays: number, limit: number): Promise<number> {
  const [, affected] = await manager.query<[unknown[], number]>(
    `DELETE FROM notifications WHERE id IN (
       SELECT id FROM notifications WHERE received_at < now() - make_interval(days => $1)
       ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [keptDays, limit],
  );
  return affected;
}

import type { EntityManager } from 'typeorm';

/** Those purchases that CWS is at work on, by its own order ids or ours. */
export async function fulfillingPurchases(manager: EntityManager, references: readonly string[]): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT id FROM purchases
     WHERE state = 'fulfilling' AND (cws_order_id = ANY ($1) OR client_order_id = ANY ($1) OR other_cws_order_ids && $1::text[])`,
    [references],
  );
  return rows.map(({ id }) => id);
}

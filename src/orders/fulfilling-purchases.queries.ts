import type { EntityManager } from 'typeorm';

/** Those purchases that CWS is at work on, by its own order ids or ours (in whatever letters: see isSameReference). */
export async function fulfillingPurchases(manager: EntityManager, references: readonly string[]): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT id FROM purchases
     WHERE state = 'fulfilling'
       AND (cws_order_id = ANY ($1) OR lower(client_order_id) = ANY ($2) OR other_cws_order_ids && $1::text[])`,
    [references, references.map((reference) => reference.toLowerCase())],
  );
  return rows.map(({ id }) => id);
}

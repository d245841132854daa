import type { EntityManager } from 'typeorm';

/** How we learned that somebody else switched an offer off: G2A told us, or its listing shows what we did not send. */
export type DeactivationReason = 'deactivated_by_g2a' | 'switched_off_at_g2a';

/** Notes that G2A has switched an offer off, and why. @returns its product, or null when the offer is not one of ours. */
export async function markDeactivated(
  manager: EntityManager,
  g2aOfferId: string,
  message: string,
): Promise<number | null> {
  const [rows] = await manager.query<[{ g2a_product_id: number }[], number]>(
    `UPDATE offers SET deactivated_at = clock_timestamp(), deactivation_message = left($2, 1000),
       deactivation_reason = 'deactivated_by_g2a'
     WHERE g2a_offer_id = $1 RETURNING g2a_product_id`,
    [g2aOfferId, message],
  );
  return rows[0]?.g2a_product_id ?? null;
}

/** Lets the offer of a product be published again. Null: there is no such offer. */
export async function clearDeactivation(
  manager: EntityManager,
  g2aProductId: number,
): Promise<{ g2aOfferId: string; wasDeactivated: boolean } | null> {
  const rows = await manager.query<{ g2aOfferId: string; wasDeactivated: boolean }[]>(
    `WITH before AS (
       SELECT g2a_offer_id, deactivated_at FROM offers WHERE g2a_product_id = $1 FOR UPDATE
     ), cleared AS (
       UPDATE offers SET deactivated_at = NULL, deactivation_message = NULL, deactivation_reason = NULL
       FROM before WHERE offers.g2a_offer_id = before.g2a_offer_id AND before.deactivated_at IS NOT NULL
     )
     SELECT g2a_offer_id AS "g2aOfferId", deactivated_at IS NOT NULL AS "wasDeactivated" FROM before`,
    [g2aProductId],
  );
  return rows[0] ?? null;
}

/**
 * Lets those among these offers be published again that were deactivated and have been observed off since.
 * @param g2aOfferIds offers that G2A shows on now.
 */
export async function clearReactivated(
  manager: EntityManager,
  g2aOfferIds: readonly string[],
): Promise<{ g2aOfferId: string; g2aProductId: number }[]> {
  const [rows] = await manager.query<[{ g2aOfferId: string; g2aProductId: number }[], number]>(
    `UPDATE offers SET deactivated_at = NULL, deactivation_message = NULL, deactivation_reason = NULL
     WHERE g2a_offer_id = ANY ($1) AND observed_at >= deactivated_at AND NOT observed_is_active
     RETURNING g2a_offer_id AS "g2aOfferId", g2a_product_id AS "g2aProductId"`,
    [g2aOfferIds],
  );
  return rows;
}

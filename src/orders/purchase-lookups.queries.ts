import type { EntityManager } from 'typeorm';
import { LOOKUP_WAYS, type PurchaseLookup } from './purchase-lookup.entity.js';

/** What is known of each way to look a purchase up, locked: what it shows meanwhile is noted afterwards. */
export async function lockLookups(manager: EntityManager): Promise<PurchaseLookup[]> {
  return manager.query<PurchaseLookup[]>(
    // In the order in which they are written: two who lock them never wait for each other.
    `SELECT way, found_at AS "foundAt", missed_at AS "missedAt" FROM purchase_lookups
     ORDER BY array_position($1::text[], way::text) FOR UPDATE`,
    [LOOKUP_WAYS],
  );
}

/** Forgets that look-ups have missed a purchase; from the next miss on they are not trusted again. */
export async function forgetMisses(manager: EntityManager): Promise<void> {
  await manager.query('UPDATE purchase_lookups SET missed_at = NULL WHERE missed_at IS NOT NULL');
}

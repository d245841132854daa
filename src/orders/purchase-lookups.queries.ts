import type { EntityManager } from 'typeorm';
import { type CwsAccount, lookupAccount } from './lookup-account.js';
import { LOOKUP_WAYS, type PurchaseLookup } from './purchase-lookup.entity.js';

/** What is known of each way to look a purchase up on an account, locked: what it shows meanwhile is noted afterwards. */
export async function lockLookups(
  manager: EntityManager,
  account: CwsAccount,
): Promise<Pick<PurchaseLookup, 'way' | 'foundAt' | 'missedAt'>[]> {
  return manager.query(
    // In the order in which they are written: two who lock them never wait for each other.
    `SELECT way, found_at AS "foundAt", missed_at AS "missedAt" FROM purchase_lookups
     WHERE account = $2 ORDER BY array_position($1::text[], way::text) FOR UPDATE`,
    [LOOKUP_WAYS, lookupAccount(account)],
  );
}

/** Forgets that look-ups have missed a purchase; from the next miss on they are not trusted again. */
export async function forgetMisses(manager: EntityManager, account: CwsAccount): Promise<void> {
  await manager.query('UPDATE purchase_lookups SET missed_at = NULL WHERE account = $1 AND missed_at IS NOT NULL', [
    lookupAccount(account),
  ]);
}

/** Notes that an account has shown its order history, whatever was in it. */
export async function noteHistory(manager: EntityManager, account: CwsAccount): Promise<void> {
  await manager.query(`INSERT INTO purchase_lookups (account, way) VALUES ($1, 'by_history') ON CONFLICT DO NOTHING`, [
    lookupAccount(account),
  ]);
}

/** Whether an account has ever shown its order history. */
export async function hasShownHistory(manager: EntityManager, account: CwsAccount): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    `SELECT FROM purchase_lookups WHERE account = $1 AND way = 'by_history'`,
    [lookupAccount(account)],
  );
  return rows.length > 0;
}

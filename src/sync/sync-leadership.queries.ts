import type { EntityManager } from 'typeorm';

/**
 * Takes the lead where nobody has it, or renews one's own, until `seconds` from now by the database's clock.
 * @param holder a number of this process.
 * @returns whether `holder` leads.
 */
export async function takeLead(manager: EntityManager, holder: string, seconds: number): Promise<boolean> {
  // Of two that come at once the second waits for the row, and then sees the first one's lease.
  const [, affected] = await manager.query<[unknown[], number]>(
    `UPDATE sync_leadership SET holder = $1,
       acquired_at = CASE WHEN holder = $1 AND expires_at > clock_timestamp() THEN acquired_at ELSE clock_timestamp() END,
       expires_at = clock_timestamp() + make_interval(secs => $2)
     WHERE id = 1 AND (holder IS NULL OR holder = $1 OR expires_at <= clock_timestamp())`,
    [holder, seconds],
  );
  return affected > 0;
}

/** Lets go of the lead, if `holder` has it: anybody may take it at once. */
export async function giveUpLead(manager: EntityManager, holder: string): Promise<void> {
  await manager.query('UPDATE sync_leadership SET holder = NULL, expires_at = clock_timestamp() WHERE holder = $1', [
    holder,
  ]);
}

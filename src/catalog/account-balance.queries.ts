import type { EntityManager } from 'typeorm';
import type { Cents } from '../money/cents.js';

/** A condition on `account_balance balance`: CWS has said it within 10 minutes. Older than that nothing is refused by it. */
export const IS_BALANCE_RECENT = `balance.asked_at > clock_timestamp() - interval '10 minutes'`;

/** What the account can pay, in its currency. */
export interface KnownBalance {
  /** Balance and credit, as CWS said last; null: it has not said within 10 minutes. */
  readonly totalToUseCents: Cents | null;
  /** How much of it was spoken for when that was last counted. */
  readonly committedCents: Cents;
  readonly currency: string | null;
  readonly askedAt: Date | null;
}

export async function readBalance(manager: EntityManager): Promise<KnownBalance> {
  const [row] = await manager.query<[KnownBalance]>(
    `SELECT CASE WHEN ${IS_BALANCE_RECENT} THEN total_to_use_cents END AS "totalToUseCents",
       committed_cents AS "committedCents", currency, asked_at AS "askedAt"
     FROM account_balance balance`,
  );
  return row;
}

/**
 * What is left of the balance and not spoken for, in the account's currency (`inEuro` with the current rate compares it with
 * costs in euros); negative when more is spoken for than there is. Null: not known well enough to limit anything by it.
 */
export async function payableBalance(manager: EntityManager, currency: string): Promise<Cents | null> {
  const [row] = await manager.query<{ payable: Cents }[]>(
    `SELECT total_to_use_cents - committed_cents AS payable FROM account_balance balance
     WHERE currency = $1 AND ${IS_BALANCE_RECENT}`,
    [currency],
  );
  return row?.payable ?? null;
}

/**
 * Claims the next question about the balance, unless any process has asked within `gapSeconds`. A balance in another currency
 * than the account's (its setting was changed) is forgotten at once.
 * @returns the database's time, to be stored with the answer; null when it is not due.
 */
export async function claimBalanceQuestion(
  manager: EntityManager,
  currency: string,
  gapSeconds: number,
): Promise<Date | null> {
  const [[row]] = await manager.query<[{ triedAt: Date }[], number]>(
    `UPDATE account_balance balance SET tried_at = clock_timestamp(),
       total_to_use_cents = CASE WHEN is_same THEN total_to_use_cents END,
       asked_at = CASE WHEN is_same THEN asked_at END,
       currency = CASE WHEN is_same THEN balance.currency END
     FROM (SELECT currency IS NOT DISTINCT FROM $1 AS is_same FROM account_balance) before
     WHERE NOT is_same OR tried_at IS NULL OR tried_at <= clock_timestamp() - make_interval(secs => $2)
     RETURNING tried_at AS "triedAt"`,
    [currency, gapSeconds],
  );
  return row?.triedAt ?? null;
}

/** Stores what CWS has said, unless a later question has been answered already. */
export async function storeBalance(
  manager: EntityManager,
  { totalToUse, currency, askedAt }: { totalToUse: Cents; currency: string; askedAt: Date },
): Promise<void> {
  await manager.query(
    `UPDATE account_balance SET total_to_use_cents = $1, currency = $2, asked_at = $3
     WHERE asked_at IS NULL OR asked_at <= $3`,
    [totalToUse, currency, askedAt],
  );
}

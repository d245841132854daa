import type { DataSource, EntityManager } from 'typeorm';
import { commitWith, inTransaction } from '../database/one-connection.js';
import type { FinishedLease, LeaseAnswer, LeaseQuestion, RequestLedger } from './request-ledger.js';

/** The ledger of all replicas, by the database's clock. */
export function databaseLedger(dataSource: DataSource, budgetName: string): RequestLedger {
  return {
    lease: (question) => leaseRequests(dataSource, budgetName, question),
    pause: (seconds) => pauseBudget(dataSource.manager, budgetName, seconds),
  };
}

/**
 * Takes a lease, and takes back finished ones. All statements leave at once, COMMIT with them: a replica that is frozen in the
 * middle must not keep the budget locked. The lock is a statement of its own, because a statement does not see what was
 * committed while it waited.
 */
async function leaseRequests(
  dataSource: DataSource,
  budgetName: string,
  question: LeaseQuestion,
): Promise<LeaseAnswer> {
  const { answer } = await inTransaction(dataSource, (manager) => {
    const locked = lockBudget(manager, budgetName);
    const settled = settleLeases(manager, question.finished, question.countsForMs);
    const answer = grantLease(manager, budgetName, question);
    commitWith(manager, Promise.all([locked, settled, answer]));
    return Promise.resolve({ answer });
  });
  return answer;
}

/** Nobody else is given a lease of this budget until the transaction ends. */
async function lockBudget(manager: EntityManager, budgetName: string): Promise<void> {
  await manager.query(
    `INSERT INTO request_budgets (name, asked_at) VALUES ($1, clock_timestamp())
     ON CONFLICT (name) DO UPDATE SET asked_at = excluded.asked_at`,
    [budgetName],
  );
}

/** From now on finished leases count with what was used of them, and no longer than if it was used just now. */
async function settleLeases(
  manager: EntityManager,
  finished: readonly FinishedLease[],
  countsForMs: number,
): Promise<void> {
  if (finished.length === 0) return;
  await manager.query(
    `UPDATE request_leases AS lease
     SET requests = finished.used,
       counts_until = least(
         lease.counts_until,
         clock_timestamp() + CASE WHEN finished.used > 0 THEN $3::float8 ELSE 0 END * interval '1 millisecond'
       )
     FROM unnest($1::bigint[], $2::integer[]) AS finished (id, used)
     WHERE lease.id = finished.id`,
    [finished.map(({ id }) => id), finished.map(({ used }) => used), countsForMs],
  );
}

/** Gives what there is room for; otherwise says when enough of what counts now will have stopped to, or the pause ends. */
async function grantLease(
  manager: EntityManager,
  budgetName: string,
  { wanted, limit, lifeMs, countsForMs }: LeaseQuestion,
): Promise<LeaseAnswer> {
  const [row] = await manager.query<[{ id: number | null; requests: number; waitMs: number }]>(
    `WITH moment AS MATERIALIZED (
       SELECT clock_timestamp() AS now, paused_until FROM request_budgets WHERE name = $1
     ), spent AS (
       DELETE FROM request_leases USING moment WHERE budget_name = $1 AND counts_until <= moment.now
     ), counting AS (
       SELECT counts_until, requests, sum(requests) OVER (ORDER BY counts_until, id) AS freed
       FROM request_leases, moment WHERE budget_name = $1 AND counts_until > moment.now
     ), used AS (
       SELECT coalesce(sum(requests), 0) AS requests FROM counting
     ), room AS (
       SELECT CASE WHEN moment.paused_until > moment.now THEN 0
         ELSE greatest(least($2::integer, $3::integer - used.requests), 0) END::integer AS requests
       FROM moment, used
     ), lease AS (
       INSERT INTO request_leases (budget_name, requests, counts_until)
       SELECT $1, room.requests, moment.now + $4::float8 * interval '1 millisecond'
       FROM room, moment WHERE room.requests > 0
       RETURNING id
     )
     SELECT (SELECT id FROM lease) AS id, room.requests,
       extract(epoch FROM greatest(
         moment.paused_until,
         -- During a pause there may be room: then its end alone is waited for.
         (SELECT min(counts_until) FROM counting WHERE used.requests >= $3::integer AND used.requests - freed < $3::integer),
         moment.now
       ) - moment.now)::float8 * 1000 AS "waitMs"
     FROM moment, room, used`,
    [budgetName, wanted, limit, lifeMs + countsForMs],
  );
  return row.id === null ? { waitMs: row.waitMs } : { id: row.id, requests: row.requests };
}

async function pauseBudget(manager: EntityManager, budgetName: string, seconds: number): Promise<void> {
  await manager.query(
    `INSERT INTO request_budgets AS budget (name, paused_until)
     VALUES ($1, clock_timestamp() + $2::float8 * interval '1 second')
     ON CONFLICT (name) DO UPDATE SET paused_until = greatest(budget.paused_until, excluded.paused_until)`,
    [budgetName, seconds],
  );
}

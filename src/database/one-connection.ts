import type { Client, QueryResult } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';

/**
 * Runs `work` on one connection. Statements that it sends without waiting for each other travel together (pg's pipeline mode)
 * and are executed in the order of the calls: one round trip instead of several. Independent of each other otherwise: no
 * transaction.
 */
export async function onOneConnection<T>(
  dataSource: DataSource,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  return onConnection(dataSource, (_client, { manager }) => work(manager));
}

const commitListeners = new WeakMap<EntityManager, (() => void)[]>();

/**
 * Has `listener`, which must not throw, called once the transaction of `manager` is committed; never, if it is not.
 * @throws Error when inTransaction has not given this manager, or its transaction is over.
 */
export function afterCommit(manager: EntityManager, listener: () => void): void {
  const listeners = commitListeners.get(manager);
  if (listeners === undefined) throw new Error('the manager has no open transaction');
  listeners.push(listener);
}

const lastStatements = new WeakMap<EntityManager, Promise<unknown>>();

/**
 * Has COMMIT travel with the last statement of the transaction of `manager`, and the transaction wait for it. Only for a
 * transaction's one writing statement: if it could not even be sent, nothing is committed.
 */
export function commitWith(manager: EntityManager, statement: Promise<unknown>): void {
  // If the transaction fails before, nobody waits for it.
  statement.catch(() => undefined);
  lastStatements.set(manager, statement);
}

/**
 * Runs `work` in a transaction (READ COMMITTED): commits when it resolves, rolls back and rethrows when it rejects. In place of
 * TypeORM's own, whose BEGIN is a round trip by itself: here it travels with the first statement of `work`. Not to be nested.
 * @throws Error when PostgreSQL answers COMMIT with a rollback, because `work` has swallowed a statement's error.
 */
export async function inTransaction<T>(
  dataSource: DataSource,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  const listeners: (() => void)[] = [];
  const result = await onConnection(dataSource, async (client, runner) => {
    const { manager } = runner;
    commitListeners.set(manager, listeners);
    // So that TypeORM opens none by itself.
    Object.assign(runner, { isTransactionActive: true });
    try {
      const [, done] = await Promise.all([client.query('BEGIN'), work(manager)]);
      const last = lastStatements.get(manager);
      // TypeORM sends a statement some promises later: COMMIT must not overtake it.
      if (last !== undefined) await afterWhatIsReady();
      const [{ command }]: [QueryResult, unknown] = await Promise.all([client.query('COMMIT'), last]);
      if (command !== 'COMMIT') throw new Error('the transaction was rolled back: one of its statements had failed');
      return done;
    } catch (error) {
      // What is still on its way is executed before it. A connection that is gone has rolled back by itself.
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      commitListeners.delete(manager);
      Object.assign(runner, { isTransactionActive: false });
    }
  });
  for (const listener of listeners) listener();
  return result;
}

/** Resolves once every promise that can go on by itself has done so. */
function afterWhatIsReady(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

async function onConnection<T>(
  dataSource: DataSource,
  work: (client: Client, runner: QueryRunner) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    return await work((await runner.connect()) as Client, runner);
  } finally {
    await runner.release();
  }
}

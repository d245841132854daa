import type { Client, QueryResult } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';

/**
 * Runs `work` on one connection. Statements that it sends without waiting for each other travel together (pg's pipeline mode)
 * and are executed in the order of the calls: one round trip instead of several. Independent of each other otherwise: no
 * transaction.
 */
export async function onOneConnection<T>(
  dataSource: DataSource,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.connect();
    return await work(runner.manager);
  } finally {
    await runner.release();
  }
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
  const runner = dataSource.createQueryRunner();
  try {
    const client = (await runner.connect()) as Client;
    // So that TypeORM opens none by itself.
    Object.assign(runner, { isTransactionActive: true });
    try {
      const [, result] = await Promise.all([client.query('BEGIN'), work(runner.manager)]);
      const { command }: QueryResult = await client.query('COMMIT');
      if (command !== 'COMMIT') throw new Error('the transaction was rolled back: one of its statements had failed');
      return result;
    } catch (error) {
      // What is still on its way is executed before it. A connection that is gone has rolled back by itself.
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      Object.assign(runner, { isTransactionActive: false });
    }
  } finally {
    await runner.release();
  }
}

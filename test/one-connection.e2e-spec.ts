import { DataSource, type EntityManager } from 'typeorm';
import { dataSourceOptions } from '../src/database/data-source-options.js';
import { commitWith, inTransaction, onOneConnection } from '../src/database/one-connection.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

let database: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = new DataSource(dataSourceOptions(database.url, 'keyferry-test'));
  await dataSource.initialize();
  await dataSource.query('CREATE TABLE notes (id integer PRIMARY KEY)');
});

afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

beforeEach(async () => {
  await dataSource.query('DELETE FROM notes');
});

async function insert(manager: EntityManager, id: number): Promise<void> {
  await manager.query('INSERT INTO notes VALUES ($1)', [id]);
}

async function notes(): Promise<number[]> {
  const rows = await dataSource.query<{ id: number }[]>('SELECT id FROM notes ORDER BY id');
  return rows.map(({ id }) => id);
}

describe('inTransaction', () => {
  it('keeps all that its work wrote, and returns what it returned', async () => {
    const result = await inTransaction(dataSource, async (manager) => {
      await insert(manager, 1);
      await insert(manager, 2);
      expect(await notes()).toEqual([]);
      return 'done';
    });
    expect(result).toBe('done');
    expect(await notes()).toEqual([1, 2]);
  });

  it('is ended by PostgreSQL when it does nothing for 5 s', async () => {
    const [row] = await inTransaction(dataSource, (manager) =>
      manager.query<[{ idle_in_transaction_session_timeout: string }]>('SHOW idle_in_transaction_session_timeout'),
    );
    expect(row).toEqual({ idle_in_transaction_session_timeout: '5s' });
  });

  it('keeps nothing when its work throws, and passes the error on', async () => {
    const work = inTransaction(dataSource, async (manager) => {
      await insert(manager, 1);
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await notes()).toEqual([]);
  });

  it('keeps nothing when a statement fails while others that were sent with it are under way', async () => {
    const work = inTransaction(dataSource, (manager) =>
      Promise.all([insert(manager, 1), manager.query('SELECT 1 / $1::integer', [0]), insert(manager, 2)]),
    );
    await expect(work).rejects.toThrow('division by zero');
    expect(await notes()).toEqual([]);
  });

  it('refuses to pass for committed when its work has swallowed the error of a statement', async () => {
    const work = inTransaction(dataSource, async (manager) => {
      await insert(manager, 1);
      await insert(manager, 1).catch(() => undefined);
    });
    await expect(work).rejects.toThrow('rolled back');
    expect(await notes()).toEqual([]);
  });

  it('waits for a last statement that COMMIT travels with, and is sent behind it', async () => {
    for (let id = 1; id <= 50; id += 1) {
      await inTransaction(dataSource, async (manager) => {
        commitWith(manager, insert(manager, id));
        return Promise.resolve();
      });
    }
    expect(await notes()).toHaveLength(50);
  });

  it('keeps nothing when the statement that COMMIT travels with fails, and passes its error on', async () => {
    await insert(dataSource.manager, 1);
    const work = inTransaction(dataSource, async (manager) => {
      await insert(manager, 2);
      commitWith(manager, insert(manager, 1));
    });
    await expect(work).rejects.toThrow('duplicate key');
    expect(await notes()).toEqual([1]);
    // The connection is as good as new.
    await inTransaction(dataSource, (manager) => insert(manager, 3));
    expect(await notes()).toEqual([1, 3]);
  });

  it('keeps nothing when its work throws after it has handed over the last statement', async () => {
    const work = inTransaction(dataSource, async (manager) => {
      commitWith(manager, insert(manager, 1));
      return Promise.reject(new Error('no'));
    });
    await expect(work).rejects.toThrow('no');
    expect(await notes()).toEqual([]);
  });

  it('runs statements that were sent together in the order of the calls, each seeing what others committed before it', async () => {
    await insert(dataSource.manager, 1);
    const holder = dataSource.createQueryRunner();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM notes WHERE id = 1 FOR UPDATE');
    const reader = inTransaction(dataSource, async (manager) => {
      const [, rows] = await Promise.all([
        manager.query('SELECT FROM notes WHERE id = $1 FOR UPDATE', [1]),
        manager.query<{ id: number }[]>('SELECT id FROM notes WHERE id > $1', [1]),
      ]);
      return rows;
    });
    await holder.query('INSERT INTO notes VALUES (2)');
    await holder.query('COMMIT');
    await holder.release();
    expect(await reader).toEqual([{ id: 2 }]);
  });

  it('leaves a connection that works, also when a statement was prepared in vain', async () => {
    const text = 'SELECT id, $1::integer AS asked FROM notes WHERE id = $1';
    const work = inTransaction(dataSource, (manager) =>
      Promise.all([manager.query('SELECT 2 / $1::integer', [0]), manager.query(text, [1])]),
    );
    await expect(work).rejects.toThrow('division by zero');
    await insert(dataSource.manager, 1);
    expect(await dataSource.query(text, [1])).toEqual([{ id: 1, asked: 1 }]);
  });

  it('fails when its connection dies, and the next one has another', async () => {
    const work = inTransaction(dataSource, async (manager) => {
      await insert(manager, 1);
      await manager.query('SELECT pg_terminate_backend(pg_backend_pid())');
      await insert(manager, 2);
    });
    await expect(work).rejects.toThrow();
    await inTransaction(dataSource, (manager) => insert(manager, 3));
    expect(await notes()).toEqual([3]);
  });
});

describe('onOneConnection', () => {
  it('answers all of several reads that were sent together, and gives its connection back after a failure', async () => {
    await insert(dataSource.manager, 1);
    for (let round = 0; round < 25; round += 1) {
      const read = onOneConnection(dataSource, (manager) =>
        Promise.all([manager.query('SELECT id FROM notes'), manager.query('SELECT 1 / $1::integer AS one', [round])]),
      );
      if (round === 0) await expect(read).rejects.toThrow('division by zero');
      else expect((await read)[0]).toEqual([{ id: 1 }]);
    }
  });
});

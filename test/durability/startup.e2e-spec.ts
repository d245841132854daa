import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../src/database/data-source-options.js';
import { environment } from '../support/keyferry.js';
import { startProgram } from '../support/program.js';
import { createTestDatabase } from '../support/test-database.js';

const NOWHERE = 'http://127.0.0.1:9';

describe('the start of the program', () => {
  it('works beside four others that start on the same empty database at the same time', async () => {
    const database = await createTestDatabase();
    const admin = new DataSource(dataSourceOptions(database.url, 'startup-test'));
    await admin.initialize();
    await admin.query('DROP SCHEMA public CASCADE');
    await admin.query('CREATE SCHEMA public');
    await admin.destroy();
    try {
      const variables = { ...environment(NOWHERE, NOWHERE), DATABASE_URL: database.url };
      const programs = await Promise.all(Array.from({ length: 5 }, () => startProgram(variables)));
      const codes = await Promise.all(programs.map((program) => program.end('SIGTERM')));
      expect(codes).toEqual([0, 0, 0, 0, 0]);
    } finally {
      await database.drop();
    }
  });
});

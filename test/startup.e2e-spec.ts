import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { DataSource } from 'typeorm';
import { createDataSource } from '../src/data-source.js';
import { dataSourceOptions } from '../src/database/data-source-options.js';
import { environment, OUR_CLIENT } from './support/keyferry.js';
import { ProgramFailedError, startProgram } from './support/program.js';
import { createTestDatabase } from './support/test-database.js';

const NOWHERE = 'http://127.0.0.1:9';

describe('the start of the program', () => {
  async function failure(variables: Record<string, string>): Promise<ProgramFailedError> {
    const outcome: unknown = await startProgram(variables).catch((error: unknown) => error);
    if (!(outcome instanceof ProgramFailedError)) throw new Error('the program started');
    return outcome;
  }

  it('without credentials says what is missing, all of it at once, and ends with 1', async () => {
    const { exitCode, output } = await failure({});
    expect(exitCode).toBe(1);
    for (const variable of [
      'OUR_API_CLIENT_ID',
      'OUR_API_CLIENT_SECRET',
      'CWS_CLIENT_ID',
      'CWS_CLIENT_SECRET',
      'CWS_CLIENT_SIGNATURE',
      'G2A_API_KEY',
      'G2A_API_SECRET',
      'KEY_ENCRYPTION_KEY',
      'DEFAULT_FIXED_PROFIT',
      'DEFAULT_G2A_FEE_PERCENTAGE',
    ]) {
      expect(output).toContain(variable);
    }
    expect(output).not.toContain('    at ');
  });

  it('with a bad secret names the variable and never its value', async () => {
    const { exitCode, output } = await failure({
      ...environment(NOWHERE, NOWHERE),
      KEY_ENCRYPTION_KEY: 'not-a-secret',
    });
    expect(exitCode).toBe(1);
    expect(output).toContain('KEY_ENCRYPTION_KEY');
    expect(output).not.toContain('not-a-secret');
  });

  it.each<Record<string, string>>([{ NODE_ENV: 'production' }, { RENDER: 'true' }])(
    'in production (%j) needs a DATABASE_URL',
    async (marker) => {
      const { exitCode, output } = await failure({ ...environment(NOWHERE, NOWHERE), ...marker });
      expect(exitCode).toBe(1);
      expect(output).toContain('DATABASE_URL');
    },
  );

  it('says so when the database cannot be reached', async () => {
    const { exitCode, output } = await failure({
      ...environment(NOWHERE, NOWHERE),
      DATABASE_URL: 'postgres://keyferry:a-password@127.0.0.1:9/keyferry',
    });
    expect(exitCode).toBe(1);
    expect(output).toContain('ECONNREFUSED');
    expect(output).not.toContain('a-password');
  });

  it('names the variable when it cannot listen', async () => {
    const database = await createTestDatabase();
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const variables = { ...environment(NOWHERE, NOWHERE), DATABASE_URL: database.url };
    try {
      const [inUse, nowhere] = await Promise.all([
        failure({ ...variables, PORT: String(port) }),
        failure({ ...variables, HOST: 'bad..host' }),
      ]);
      expect(inUse).toMatchObject({ exitCode: 1, output: expect.stringContaining(`PORT: ${port} is in use`) });
      expect(nowhere).toMatchObject({
        exitCode: 1,
        output: expect.stringContaining("HOST: 'bad..host' is no address"),
      });
      for (const { output } of [inUse, nowhere]) expect(output).not.toContain('    at ');
    } finally {
      taken.close();
      await database.drop();
    }
  });

  const run = promisify(execFile);
  const MAIN = resolve('dist/main.js');
  const BARE = { cwd: tmpdir(), env: { PATH: process.env.PATH } };

  it('does not happen with --help: that says how it is meant', async () => {
    const { stdout, stderr } = await run(process.execPath, [MAIN, '--help'], BARE);
    expect(stdout).toMatch(/^Usage: npm start /);
    expect(stdout).toContain('npm run cli -- --help');
    expect(stderr).toBe('');
  });

  it.each(['--dry-run', 'status'])('refuses the argument %s before it looks at anything else', async (argument) => {
    await expect(run(process.execPath, [MAIN, argument], BARE)).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^error: [^]*Nothing was started/),
    });
  });

  it('says little: nothing of modules and routes, no colors into a file, and never a secret of whoever calls', async () => {
    const { clientId: id, clientSecret: secret } = OUR_CLIENT;
    const basic = Buffer.from(`${id}:${secret}`).toString('base64');
    const pair = `client_id=${encodeURIComponent(id)}&client_secret=${encodeURIComponent(secret)}`;
    const grant = 'grant_type=client_credentials';
    const authorization = `Basic ${basic}`;
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const json = { 'content-type': 'application/json' };
    const calls: [number, string, RequestInit?][] = [
      [200, `/oauth/token?${grant}&${pair}`],
      [400, `/oauth/token?grant_type=password&${pair}`],
      [401, `/oauth/token?${grant}&${pair}x`],
      [404, `/oauth/token/?${pair}`],
      [400, `/oauth/%zz?${pair}`],
      [401, `/order/1/inventory?${pair}`],
      [200, '/oauth/token', { method: 'POST', headers: form, body: `${grant}&${pair}` }],
      [401, '/oauth/token', { method: 'POST', headers: form, body: `${grant}&${pair}x` }],
      [400, '/oauth/token', { method: 'POST', headers: json, body: `{"client_secret":"${secret}` }],
      [415, '/oauth/token', { method: 'POST', headers: { 'content-type': 'text/x' }, body: pair }],
      [200, '/oauth/token', { method: 'POST', headers: { ...form, authorization }, body: grant }],
      [204, '/healthcheck', { headers: { authorization } }],
      [401, '/healthcheck', { headers: { authorization: `${authorization}eA` } }],
      [404, `/nowhere/${encodeURIComponent(secret)}`, { headers: { authorization } }],
    ];
    const database = await createTestDatabase();
    try {
      const program = await startProgram({ ...environment(NOWHERE, NOWHERE), DATABASE_URL: database.url });
      const statuses: number[] = [];
      const shown: string[] = [];
      try {
        for (const [, path, init] of calls) {
          const answer = await fetch(program.url + path, init);
          statuses.push(answer.status);
          if (!answer.ok) shown.push(await answer.text());
        }
        const metrics = await (await fetch(`${program.url}/metrics`)).text();
        expect(metrics).toContain('keyferry_');
        shown.push(metrics);
      } finally {
        await program.end('SIGTERM');
      }
      expect(statuses).toEqual(calls.map(([status]) => status));
      expect(program.output()).toContain('listening on');
      for (const place of [...shown, program.output()]) {
        for (const secretly of [secret, encodeURIComponent(secret), basic]) expect(place).not.toContain(secretly);
      }
      expect(program.output()).not.toMatch(/InstanceLoader|RoutesResolver|RouterExplorer|NestFactory|NestApplication/);
      expect(program.output()).not.toContain('\u001b');
    } finally {
      await database.drop();
    }
  });
});

describe('npm start', () => {
  it('ends the program in the orderly way when npm is stopped, although npm tells its shell only', async () => {
    const database = await createTestDatabase();
    // The shell is npm's; npm signals it and nobody else.
    const shell = spawn('sh', ['-c', `"${process.execPath}" "${resolve('dist/main.js')}"; true`], {
      cwd: tmpdir(),
      env: {
        PATH: process.env.PATH,
        ...environment(NOWHERE, NOWHERE),
        DATABASE_URL: database.url,
        npm_lifecycle_event: 'start',
      },
    });
    try {
      let output = '';
      shell.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('listening on')) shell.kill('SIGTERM');
      });
      // The pipe closes with the last process that holds it, which is the program and not the shell.
      await once(shell, 'close');
      expect(output).toContain('npm has ended: stopping');
    } finally {
      await database.drop();
    }
  });
});

describe('migrations', () => {
  it('are applied once each when ten replicas ask for them at the same time', async () => {
    const database = await createTestDatabase();
    const admin = new DataSource(dataSourceOptions(database.url, 'startup-test'));
    await admin.initialize();
    await admin.query('DROP SCHEMA public CASCADE');
    await admin.query('CREATE SCHEMA public');
    await admin.destroy();
    // A program of its own, and what it prints is its answer.
    const script = `
      import { runMigrations } from ${JSON.stringify(resolve('dist/database/migrations.js'))};
      const url = process.env.DATABASE_URL;
      const applied = await Promise.all(Array.from({ length: 10 }, () => runMigrations(url)));
      console.log(JSON.stringify(applied.map((names) => names.length).sort((a, b) => a - b)));`;
    try {
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
        env: { PATH: process.env.PATH, DATABASE_URL: database.url },
      });
      const counts = JSON.parse(stdout) as number[];
      expect(counts.slice(0, 9)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
      expect(counts[9]).toBeGreaterThan(8);
    } finally {
      await database.drop();
    }
  });
});

describe('the schema', () => {
  it('is what the entities say: generating a migration yields nothing', async () => {
    const database = await createTestDatabase();
    const dataSource = createDataSource(database.url);
    await dataSource.initialize();
    try {
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]);
    } finally {
      await dataSource.destroy();
      await database.drop();
    }
  });

  it('refuses to change or delete what was audited', async () => {
    const database = await createTestDatabase();
    const dataSource = new DataSource(dataSourceOptions(database.url, 'schema-test'));
    await dataSource.initialize();
    try {
      await dataSource.query('INSERT INTO product_mappings (g2a_product_id) VALUES (10000000000001)');
      for (const statement of ['UPDATE audit_log SET actor = $$x$$', 'DELETE FROM audit_log', 'TRUNCATE audit_log']) {
        await expect(dataSource.query(statement)).rejects.toThrow('append-only');
      }
      const rows = await dataSource.query('SELECT actor, action, subject_id FROM audit_log');
      expect(rows).toEqual([
        { actor: expect.stringMatching(/^sql:/), action: 'mapping.created', subject_id: '10000000000001' },
      ]);
    } finally {
      await dataSource.destroy();
      await database.drop();
    }
  });
});

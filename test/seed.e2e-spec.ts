import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { type CommandAnswer, runCommand } from './support/command.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

const repository = dirname(import.meta.dirname);
const SECRET = 'test-only-not-a-secret';
const WHOLE_CONFIGURATION = {
  OUR_API_CLIENT_ID: 'test',
  OUR_API_CLIENT_SECRET: SECRET,
  CWS_CLIENT_ID: 'test',
  CWS_CLIENT_SECRET: SECRET,
  CWS_CLIENT_SIGNATURE: SECRET,
  G2A_API_KEY: 'test',
  G2A_API_SECRET: SECRET,
  KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  DEFAULT_FIXED_PROFIT: '0.50',
  DEFAULT_G2A_FEE_PERCENTAGE: '0.15',
};

interface Row {
  g2aProductId: number;
  cwsProductIds: string[];
  [term: string]: unknown;
}
interface AuditRow {
  actor: string;
  action: string;
  subject_id: string;
  details: unknown;
  transaction: string;
}

let database: TestDatabase;
let sql: pg.Client;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = new pg.Client(database.url);
  await sql.connect();
  folder = await mkdtemp(join(tmpdir(), 'keyferry-seed-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
  await sql.end();
  await database.drop();
});

/** Audit rows written before this test have ids up to this one. */
let lastAuditId: number;

beforeEach(async () => {
  await sql.query('DELETE FROM product_mappings');
  const { rows } = await sql.query<{ id: string }>('SELECT coalesce(max(id), 0) AS id FROM audit_log');
  lastAuditId = Number(rows[0]!.id);
});

async function auditRows(): Promise<AuditRow[]> {
  const { rows } = await sql.query<AuditRow>(
    `SELECT actor, action, subject_id, details, xmin::text AS transaction FROM audit_log WHERE id > $1 ORDER BY id`,
    [lastAuditId],
  );
  return rows;
}

async function storedRows(): Promise<unknown[]> {
  const { rows } = await sql.query<Record<string, unknown>>(
    `SELECT g2a_product_id::text AS id, is_enabled, fixed_profit_cents, profit_percent::text, fee_percentage::text,
       fee_fixed_cents, min_price_cents, max_price_cents, charm_ending,
       ARRAY(SELECT cws_product_id::text FROM product_mapping_suppliers supplier
             WHERE supplier.g2a_product_id = mapping.g2a_product_id ORDER BY position) AS suppliers
     FROM product_mappings mapping ORDER BY g2a_product_id`,
  );
  return rows;
}

function keyferry(args: string[], environment: Record<string, string> = {}): Promise<CommandAnswer> {
  return runCommand({ DATABASE_URL: database.url, ...environment }, args);
}

async function seed(content: string | Row[], ...options: string[]): Promise<CommandAnswer> {
  const file = join(folder, 'mappings');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return keyferry(['seed', file, ...options]);
}

/** What a seed that went well reports. */
async function seeded(content: string | Row[], ...options: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await seed(content, '--json', ...options);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

function supplier(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

const DOOM: Row = { g2aProductId: 10000000000001, cwsProductIds: [supplier(1), supplier(2)] };
const QUAKE: Row = {
  g2aProductId: 10000000000002,
  cwsProductIds: [supplier(3)],
  fixedProfit: '0.75',
  profitPercent: '7.5',
  feePercentage: '0.125',
  feeFixed: '0.35',
  minPrice: '5.00',
  maxPrice: '19.99',
  charmEnding: '.49',
  enabled: false,
};

describe('seed', () => {
  it('creates what the file names, with audit rows in the same transaction', async () => {
    expect(await seeded([DOOM, QUAKE])).toMatchObject({
      isDryRun: false,
      created: 2,
      updated: 0,
      unchanged: 0,
      changes: [
        { g2aProductId: 10000000000001, change: 'created' },
        {
          g2aProductId: 10000000000002,
          change: 'created',
          fields: {
            cwsProductIds: { before: null, after: supplier(3) },
            fixedProfit: { before: null, after: '0.75' },
            enabled: { before: null, after: false },
          },
        },
      ],
    });
    expect(await storedRows()).toEqual([
      {
        id: '10000000000001',
        is_enabled: true,
        fixed_profit_cents: null,
        profit_percent: null,
        fee_percentage: null,
        fee_fixed_cents: null,
        min_price_cents: null,
        max_price_cents: null,
        charm_ending: null,
        suppliers: [supplier(1), supplier(2)],
      },
      {
        id: '10000000000002',
        is_enabled: false,
        fixed_profit_cents: 75,
        profit_percent: '7.5000',
        fee_percentage: '0.125000',
        fee_fixed_cents: 35,
        min_price_cents: 500,
        max_price_cents: 1999,
        charm_ending: '.49',
        suppliers: [supplier(3)],
      },
    ]);

    const audit = await auditRows();
    expect(audit.map(({ actor, action, subject_id }) => [actor, action, subject_id])).toEqual([
      ['cli:seed', 'mapping.created', '10000000000001'],
      ['cli:seed', 'mapping.created', '10000000000002'],
      ['cli:seed', 'mapping.supplier.created', '10000000000001'],
      ['cli:seed', 'mapping.supplier.created', '10000000000001'],
      ['cli:seed', 'mapping.supplier.created', '10000000000002'],
    ]);
    const { rows } = await sql.query<{ transaction: string }>(
      `SELECT xmin::text AS transaction FROM product_mappings
       UNION SELECT xmin::text FROM product_mapping_suppliers`,
    );
    expect(new Set(audit.map(({ transaction }) => transaction))).toEqual(new Set([rows[0]!.transaction]));
    expect(rows).toHaveLength(1);
  });

  it('writes nothing, not even an audit row, when the file says what is stored already', async () => {
    await seeded([DOOM, QUAKE]);
    const before = await auditRows();
    const { rows: versions } = await sql.query('SELECT xmin, * FROM product_mappings ORDER BY 2');

    const sameInOtherWords = { ...QUAKE, feePercentage: 0.125, profitPercent: '7.50', maxPrice: 19.99 };
    expect(await seeded([sameInOtherWords, DOOM])).toMatchObject({
      created: 0,
      updated: 0,
      unchanged: 2,
      changes: [],
    });
    expect(await auditRows()).toEqual(before);
    expect((await sql.query('SELECT xmin, * FROM product_mappings ORDER BY 2')).rows).toEqual(versions);
  });

  it('says what an update changes, returns to the default what the row leaves out, and leaves others alone', async () => {
    await seeded([DOOM, QUAKE]);
    expect(await seeded([{ ...QUAKE, fixedProfit: '1.00', maxPrice: null }])).toEqual({
      isDryRun: false,
      created: 0,
      updated: 1,
      unchanged: 0,
      changes: [
        {
          g2aProductId: 10000000000002,
          change: 'updated',
          fields: { fixedProfit: { before: '0.75', after: '1.00' }, maxPrice: { before: '19.99', after: null } },
        },
      ],
    });
    expect(await storedRows()).toMatchObject([
      { id: '10000000000001' },
      { id: '10000000000002', fixed_profit_cents: 100, max_price_cents: null },
    ]);
    expect((await auditRows()).slice(5)).toMatchObject([
      {
        actor: 'cli:seed',
        action: 'mapping.updated',
        subject_id: '10000000000002',
        details: {
          before: { fixed_profit_cents: 75, max_price_cents: 1999 },
          after: { fixed_profit_cents: 100 },
        },
      },
    ]);
  });

  it('replaces suppliers in their order and writes only those that move', async () => {
    await seeded([DOOM]);
    await seeded([{ ...DOOM, cwsProductIds: [supplier(1), supplier(4), supplier(2)] }]);
    await seeded([{ ...DOOM, cwsProductIds: [supplier(4), supplier(2)] }]);
    expect(await storedRows()).toMatchObject([{ suppliers: [supplier(4), supplier(2)] }]);
    const actions = (await auditRows()).slice(3).map(({ action }) => action);
    expect(actions.sort()).toEqual([
      'mapping.supplier.created', // 4
      'mapping.supplier.deleted', // 1
      'mapping.supplier.updated', // 2 moves back
      'mapping.supplier.updated', // 4 and 2 move up
      'mapping.supplier.updated',
    ]);
  });

  it('applies nothing when one row is bad, and names its line', async () => {
    await seeded([DOOM]);
    const before = await storedRows();
    const content = [
      'g2aProductId,cwsProductIds,feePercentage',
      `10000000000001,${supplier(9)},`,
      `10000000000003,${supplier(3)},1.5`,
    ].join('\n');
    const { code, stdout, stderr } = await seed(content);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `${join(folder, 'mappings')} has a problem; nothing of it was applied:\n` +
        '  line 3, feePercentage: "1.5" must be below 1: it is a fraction, 0.15 means 15 %\n',
    );
    expect(await storedRows()).toEqual(before);
  });

  it('shows with --dry-run what would change, and changes nothing', async () => {
    await seeded([QUAKE]);
    const before = [await storedRows(), await auditRows()];
    const file = [DOOM, { ...QUAKE, enabled: true }];
    expect(await seeded(file, '--dry-run')).toMatchObject({ isDryRun: true, created: 1, updated: 1 });
    const { code, stdout } = await seed(file, '--dry-run');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      `+ 10000000000001  cwsProductIds ${supplier(1)} ${supplier(2)}, enabled true`,
      '~ 10000000000002  enabled false -> true',
      '1 created, 1 updated, 0 unchanged (dry run: not applied)',
      '',
    ]);
    expect([await storedRows(), await auditRows()]).toEqual(before);
  });

  it('takes a file of several thousand rows whole', async () => {
    const rows = Array.from({ length: 2_345 }, (_, index): Row => ({ ...DOOM, g2aProductId: index + 1 }));
    expect(await seeded(rows)).toMatchObject({ created: 2_345, updated: 0, unchanged: 0 });
    rows[0] = { ...rows[0]!, fixedProfit: '1' };
    rows[2_344] = { ...rows[2_344]!, enabled: false };
    const { stdout } = await seed(rows);
    expect(stdout.split('\n')).toEqual([
      '~ 1  fixedProfit default -> 1.00',
      '~ 2345  enabled true -> false',
      '0 created, 2 updated, 2343 unchanged',
      '',
    ]);
  });

  it('finishes one after the other when two run at once', async () => {
    const file = join(folder, 'both');
    await writeFile(file, JSON.stringify([DOOM, QUAKE]));
    const outcomes = await Promise.all([keyferry(['seed', file, '--json']), keyferry(['seed', file, '--json'])]);
    const created = outcomes.map(({ stdout }) => (JSON.parse(stdout) as { created: number }).created);
    expect(created.sort()).toEqual([0, 2]);
    expect(await auditRows()).toHaveLength(5);
  });

  it.each(['products.example.json', 'products.example.csv'])('takes the example %s', async (file) => {
    const { code, stderr } = await keyferry(['seed', join(repository, 'seeds', file)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((await storedRows()).length).toBeGreaterThan(3);
  });

  it('says in one line that there is no such file, or that it is no text', async () => {
    const missing = await keyferry(['seed', 'nowhere.json']);
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toMatch(/^nowhere\.json cannot be read: .*no such file.*\n$/);
    await writeFile(join(folder, 'utf16.csv'), Buffer.from('\uFEFFg2aProductId', 'utf16le'));
    const binary = await keyferry(['seed', join(folder, 'utf16.csv')]);
    expect(binary).toMatchObject({ code: 1, stderr: expect.stringMatching(/utf16\.csv is not UTF-8 text.*\n$/) });
  });

  it('says in one line that the database does not answer, without its password', async () => {
    const file = join(folder, 'mappings');
    await writeFile(file, JSON.stringify([DOOM]));
    const outcome = await keyferry(['seed', file], { DATABASE_URL: 'postgres://someone:hush@127.0.0.1:9/keyferry' });
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/^The database cannot be used: .*ECONNREFUSED.*DATABASE_URL\.\n$/);
    expect(outcome.stderr).not.toContain('hush');
  });
});

describe('a mapping edited with plain SQL', () => {
  it('needs only its ids, and is audited as the database user', async () => {
    await sql.query('BEGIN');
    await sql.query('INSERT INTO product_mappings (g2a_product_id) VALUES (77)');
    await sql.query('INSERT INTO product_mapping_suppliers (g2a_product_id, cws_product_id) VALUES (77, $1)', [
      supplier(7),
    ]);
    await sql.query('COMMIT');
    await sql.query('UPDATE product_mappings SET fixed_profit_cents = 5 WHERE g2a_product_id = 77');
    await sql.query('DELETE FROM product_mappings WHERE g2a_product_id = 77');
    const { rows } = await sql.query<{ name: string }>('SELECT session_user AS name');
    const audit = await auditRows();
    expect(new Set(audit.map(({ actor }) => actor))).toEqual(new Set([`sql:${rows[0]!.name}`]));
    expect(audit.map(({ action }) => action).sort()).toEqual([
      'mapping.created',
      'mapping.deleted',
      'mapping.supplier.created',
      'mapping.supplier.deleted',
      'mapping.updated',
    ]);
  });

  it('is equal to a row of a file that says the same', async () => {
    await sql.query('INSERT INTO product_mappings (g2a_product_id, fee_percentage) VALUES (77, 0.10)');
    await sql.query('INSERT INTO product_mapping_suppliers (g2a_product_id, cws_product_id) VALUES (77, $1)', [
      supplier(7),
    ]);
    const row = { g2aProductId: 77, cwsProductIds: [supplier(7)], feePercentage: '0.1' };
    expect(await seeded([row])).toMatchObject({ unchanged: 1, changes: [] });
  });
});

describe('the other commands', () => {
  it('migrate says which migrations it applied, then that the schema is up to date', async () => {
    const name = new URL(database.url).pathname.slice(1);
    await sql.query(`CREATE DATABASE ${name}_empty`);
    const environment = { DATABASE_URL: `${database.url}_empty` };
    try {
      const first = await keyferry(['migrate', '--json'], environment);
      const applied = (JSON.parse(first.stdout) as { applied: string[] }).applied;
      expect(applied).toContain('CreateProductMappings1763900000002');
      expect(await keyferry(['migrate'], environment)).toEqual({ code: 0, stdout: 'up to date\n', stderr: '' });
    } finally {
      await sql.query(`DROP DATABASE ${name}_empty WITH (FORCE)`);
    }
  });

  it('pause, status and resume work on the same switch and are audited as the operator', async () => {
    const actor = `cli:${userInfo().username}`;
    await seeded([DOOM, QUAKE]);
    const paused = await keyferry(['pause', '--reason', 'stocktaking'], WHOLE_CONFIGURATION);
    expect(paused).toMatchObject({ code: 0, stdout: expect.stringContaining(`paused by ${actor} since 20`) });

    const [status, json] = await Promise.all([
      keyferry(['status'], WHOLE_CONFIGURATION),
      keyferry(['status', '--json'], WHOLE_CONFIGURATION),
    ]);
    expect(status.stdout).toMatch(/^selling {3}no, paused by .*: stocktaking\n[^]*\nmappings {2}2 \(1 enabled\)\n/);
    expect(JSON.parse(json.stdout)).toMatchObject({
      isSelling: false,
      isPaused: true,
      reason: 'stocktaking',
      changedBy: actor,
      mappings: { total: 2, enabled: 1 },
      leader: null,
      offers: { total: 0, forSale: 0, off: {}, quarantined: 0 },
      openAlerts: 0,
      orders: { accepted: 0, purchasing: 0, fulfilling: 0, completed: 0, needs_attention: 0, failed: 0 },
    });

    const disabled = { ...WHOLE_CONFIGURATION, SERVICE_ENABLED: 'false' };
    expect((await keyferry(['resume'], disabled)).stdout).toContain('SERVICE_ENABLED=false');
    expect((await keyferry(['status'], WHOLE_CONFIGURATION)).stdout).toMatch(
      /^selling {3}allowed, but no offer is known\n/,
    );
    const control = (await auditRows()).filter(({ action }) => action.startsWith('control.'));
    expect(control).toMatchObject([
      { actor, action: 'control.paused', details: { reason: 'stocktaking' } },
      { actor, action: 'control.resumed' },
    ]);
  });

  it('name every missing variable, never a value, when they need the whole configuration', async () => {
    const { code, stdout, stderr } = await keyferry(['pause'], { OUR_API_CLIENT_SECRET: 'hush' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('CWS_CLIENT_ID');
    expect(stderr).not.toContain('hush');
    expect(stderr).not.toContain('    at ');
  });

  it('explain themselves with --help', async () => {
    const commands = [[], ['seed'], ['status']];
    const outcomes = await Promise.all(commands.map((command) => keyferry([...command, '--help'])));
    for (const { code, stdout } of outcomes) {
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Usage: keyferry/);
    }
  });
});

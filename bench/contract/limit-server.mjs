// The limit: a bare Fastify with `pg` that sends as many SQL statements of the same kinds as our route does, and answers the
// same bytes. A process of its own, started by stage.mjs with the recipes as JSON in its first argument. `lockedRows`: as many
// as there are products to reserve, so that as many wait for each other.
import { randomInt, randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import pg from 'pg';

const { databaseUrl, poolSize, applicationName, lockedRows, recipes } = JSON.parse(process.argv[2]);
const ROWS = 10_000;
const PAYLOAD = 'x'.repeat(100);

const pool = new pg.Pool({ connectionString: databaseUrl, max: poolSize, application_name: applicationName });
await pool.query(`
  CREATE TABLE limit_rows AS SELECT id, repeat('x', 100) AS payload FROM generate_series(1, ${ROWS}) AS id;
  ALTER TABLE limit_rows ADD PRIMARY KEY (id);
  CREATE TABLE limit_locks AS SELECT id FROM generate_series(1, ${lockedRows}) AS id;
  ALTER TABLE limit_locks ADD PRIMARY KEY (id);
  CREATE TABLE limit_writes (id uuid PRIMARY KEY, payload text NOT NULL)`);

/** One statement for a step, with parameters as every real one has. `subject` is the same for all steps of a request. */
function statementFor(step, subject) {
  switch (step.kind) {
    case 'select':
      return ['SELECT payload FROM limit_rows WHERE id = $1', [randomInt(1, ROWS + 1)]];
    case 'lock':
      return ['SELECT id FROM limit_locks WHERE id = $1 FOR UPDATE', [(subject % lockedRows) + 1]];
    case 'write':
      return writeStatement(step, subject);
    default:
      throw new Error(`unknown step ${step.kind}`);
  }
}

/** As many inserts, updates and deletes as the real statement has, in one. */
function writeStatement({ inserts, updates, deletes }, subject) {
  const values = [PAYLOAD, subject];
  const parts = [];
  for (let i = 0; i < inserts; i += 1) {
    values.push(randomUUID());
    parts.push(`INSERT INTO limit_writes (id, payload) VALUES ($${values.length}, $1::text)`);
  }
  for (let i = 0; i < updates; i += 1) {
    // A row of its own for each: PostgreSQL writes a row once per statement.
    parts.push(`UPDATE limit_rows SET payload = $1::text WHERE id = ($2::integer + ${i}) % ${ROWS} + 1`);
  }
  for (let i = 0; i < deletes; i += 1) parts.push('DELETE FROM limit_rows WHERE id = -$2::integer');
  const last = parts.pop();
  const unused = 'WITH parameters AS (SELECT $1::text, $2::integer)';
  return [[unused, ...parts.map((part, i) => `part_${i} AS (${part})`)].join(', ') + ` ${last}`, values];
}

async function perform(steps) {
  const subject = randomInt(1, ROWS + 1);
  let client = null;
  try {
    for (const step of steps) {
      if (step.kind === 'begin') {
        client = await pool.connect();
        await client.query('BEGIN');
      } else if (step.kind === 'commit') {
        await client.query('COMMIT');
        client.release();
        client = null;
      } else {
        await (client ?? pool).query(...statementFor(step, subject));
      }
    }
  } catch (error) {
    client?.release(true);
    throw error;
  }
}

const app = Fastify();
for (const { name, method, status, answer, steps } of recipes) {
  app.route({
    method,
    url: `/limit/${name}`,
    handler: async (_request, reply) => {
      await perform(steps);
      return status === 204 ? reply.code(204).send() : reply.code(status).send(answer);
    },
  });
}
process.send({ listening: await app.listen({ port: 0, host: '127.0.0.1' }) });
process.once('SIGTERM', async () => {
  await app.close();
  await pool.end();
  process.exit(0);
});

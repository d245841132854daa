// Drops the databases of this run and leaves the server, which stops when no other run uses it.
export default async function globalTeardown() {
  const { run, server, connection } = globalThis.keyferryTestRun;
  const { rows } = await connection.query('SELECT datname FROM pg_database WHERE starts_with(datname, $1)', [run]);
  for (const { datname } of rows) await connection.query(`DROP DATABASE ${datname} WITH (FORCE)`);
  await connection.end();
  await server.release();

  const forgotten = rows.map(({ datname }) => datname).filter((name) => name !== `${run}_template`);
  if (forgotten.length > 0) {
    throw new Error(
      `${forgotten.length} test database(s) were not dropped: call drop() in afterAll (${forgotten.join(', ')})`,
    );
  }
}

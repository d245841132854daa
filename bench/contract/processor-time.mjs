import { IS_MEASURABLE, processorMs } from '../support/processes.mjs';

/**
 * Processor time that answers cost, of the server itself and of its PostgreSQL backends. Unlike rates it hardly depends on what
 * else the machine does. Null where there is no /proc.
 * @param work a measurement that resolves with `{ count }` answers.
 * @returns what `work` returned, with `processorMs: { server, database }` per answer.
 */
export async function metered({ admin, databaseName, pid, applicationName }, work) {
  const read = async () => {
    const { rows } = await admin.query(
      'SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = $2',
      [databaseName, applicationName],
    );
    return { server: processorMs(pid), backends: new Map(rows.map((row) => [row.pid, processorMs(row.pid)])) };
  };
  if (!IS_MEASURABLE) return { ...(await work()), processorMs: null };
  const before = await read();
  const run = await work();
  const after = await read();
  let database = 0;
  // A backend that was started meanwhile has spent all its time on us.
  for (const [backend, spent] of after.backends) database += spent - (before.backends.get(backend) ?? 0);
  return {
    ...run,
    processorMs: { server: (after.server - before.server) / run.count, database: database / run.count },
  };
}

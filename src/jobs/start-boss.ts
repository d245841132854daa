import { Logger } from '@nestjs/common';
import PgBoss from 'pg-boss';
import type { JobDatabase } from './job-database.js';
import { JOB_NAMES, JOB_OPTIONS } from './job-names.js';

/** Jobs past their time are taken back, and old ones put away, this often in the whole installation. */
const MAINTENANCE_INTERVAL_SECONDS = 3;
/** Done jobs leave the hot table soon, failed ones stay for a person to see. */
const ARCHIVE_COMPLETED_AFTER_SECONDS = 3_600;
const ARCHIVE_FAILED_AFTER_SECONDS = 7 * 86_400;

/**
 * Installs (or migrates) the schema `pgboss` and the queues, and starts pg-boss. Safe when several processes start together.
 *
 * @param isSupervised whether this process takes its turns at maintenance.
 */
export async function startBoss(database: JobDatabase, isSupervised: boolean): Promise<PgBoss> {
  const logger = new Logger('PgBoss');
  const boss = new PgBoss({
    db: database,
    schema: 'pgboss',
    schedule: false,
    supervise: isSupervised,
    maintenanceIntervalSeconds: MAINTENANCE_INTERVAL_SECONDS,
    archiveCompletedAfterSeconds: ARCHIVE_COMPLETED_AFTER_SECONDS,
    archiveFailedAfterSeconds: ARCHIVE_FAILED_AFTER_SECONDS,
    deleteAfterDays: 7,
  });
  // Failed maintenance comes here, and is tried again at its next turn; without a listener it would end the process.
  boss.on('error', (error) => {
    logger.warn(error.message);
  });
  // create_queue alone deadlocks with itself: its INSERT waits for another replica's while that one's foreign key waits for this table lock.
  await database.withInstallLock(async () => {
    await boss.start();
    for (const name of JOB_NAMES) {
      await boss.createQueue(name, queueOptions(name));
      await boss.updateQueue(name, queueOptions(name));
    }
  });
  return boss;
}

/**
 * Policy `short`: one waiting job per singleton key, any number running. Not `stately` or `singleton`: there the fetch query fails as a
 * whole while a job's twin is running, and the jobs behind it wait too.
 */
function queueOptions(name: (typeof JOB_NAMES)[number]): PgBoss.Queue {
  const { retryLimit, retryDelaySeconds, expireInSeconds } = JOB_OPTIONS[name];
  return { name, policy: 'short', retryLimit, retryDelay: retryDelaySeconds, retryBackoff: false, expireInSeconds };
}

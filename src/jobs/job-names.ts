/**
 * Every kind of background work and what its job carries: ids only. The row behind the id is the truth, a job is a wake-up: its handler
 * re-reads the row, does nothing when there is nothing to do, and is harmless when it runs twice at the same time.
 */
export interface JobPayloads {
  /** Advance an accepted order: choose a supplier and buy what is still owed. */
  'purchase-order': { orderId: string };
  /** Ask CWS what became of a purchase. */
  'poll-purchase': { purchaseId: string };
}

export type JobName = keyof JobPayloads;

export interface JobOptions {
  /** How many jobs of this name one process runs at the same time; at least 1. */
  concurrency: number;
  /** How often a job runs again after a failure or a dead worker before it is given up; 0 to never. Snoozing is not counted. */
  retryLimit: number;
  /** The wait before each retry, in whole seconds. It does not grow: pg-boss has no upper bound for a growing one (hours after ten failures). */
  retryDelaySeconds: number;
  /** After this time, in seconds, a running job is taken from its worker, dead or slow, and counted as a failure. */
  expireInSeconds: number;
}

/**
 * A killed worker's job starts again after at most expireInSeconds 15 + two maintenance rounds 6 + retryDelaySeconds 2 + one poll 0.5 =
 * 23.5 s, within the 30 s that an order may stand still.
 */
const WAKE_UP: JobOptions = { concurrency: 8, retryLimit: 20, retryDelaySeconds: 2, expireInSeconds: 15 };

export const JOB_OPTIONS: Readonly<Record<JobName, JobOptions>> = {
  'purchase-order': WAKE_UP,
  'poll-purchase': WAKE_UP,
};

export const JOB_NAMES = Object.keys(JOB_OPTIONS) as JobName[];

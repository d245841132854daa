import { Injectable } from '@nestjs/common';
import PgBoss from 'pg-boss';
import type { EntityManager } from 'typeorm';
import { afterCommit } from '../database/one-connection.js';
import { JobDatabase } from './job-database.js';
import type { JobName, JobPayloads } from './job-names.js';

export interface SendJobOptions {
  /** The manager of an open transaction (inTransaction): the job exists if and when that transaction commits. Without it the job is sent at once. */
  manager?: EntityManager;
  /** Seconds before the job may start, 0 or more; default 0. */
  startAfterSeconds?: number;
  /** At most one job of this name and key waits; default: the payload's ids. */
  singletonKey?: string;
}

/** The index job_i1 of pg-boss's policy `short` answers the condition. */
const BRING_FORWARD = `
  WITH moved AS (
    UPDATE pgboss.job
    SET start_after = LEAST(start_after, now() + $3 * interval '1 second')
    WHERE name = $1 AND COALESCE(singleton_key, '') = $2 AND state = 'created' AND policy = 'short'
    RETURNING id
  )
  SELECT id FROM moved`;

const MAX_SEND_ATTEMPTS = 5;

/** Sends jobs. Local workers start on them at once, those of other processes within half a second. */
@Injectable()
export class JobQueue {
  readonly #wakeListeners = new Map<JobName, () => void>();

  constructor(
    private readonly boss: PgBoss,
    private readonly database: JobDatabase,
  ) {}

  /**
   * Makes sure that a job of this name and key starts after now (with a manager: after the commit). If one is waiting already, no second is
   * added: the waiting one is brought forward where it would start later. A running one does not count: it may have read its row too early.
   * The local worker is woken by itself, with a manager after the commit.
   *
   * @throws Error when `manager` is not of a transaction, or the job's queue does not exist.
   */
  async send<N extends JobName>(name: N, payload: JobPayloads[N], options: SendJobOptions = {}): Promise<void> {
    const { manager, startAfterSeconds = 0, singletonKey = Object.values<string>(payload).join(' ') } = options;
    if (manager === undefined) {
      await this.#enqueue(name, payload, this.database, startAfterSeconds, singletonKey);
      if (startAfterSeconds === 0) this.wake(name);
      return;
    }
    afterCommit(manager, () => {
      if (startAfterSeconds === 0) this.wake(name);
    });
    const transaction: PgBoss.Db = {
      executeSql: async (text, values) => ({ rows: await manager.query<unknown[]>(text, values) }),
    };
    await this.#enqueue(name, payload, transaction, startAfterSeconds, singletonKey);
  }

  /** Has this process look for jobs of this name now. Not needed after `send`. */
  wake(name: JobName): void {
    this.#wakeListeners.get(name)?.();
  }

  /** For the worker of that name: `listener` is called on each wake; it must not throw. */
  onWake(name: JobName, listener: () => void): void {
    this.#wakeListeners.set(name, listener);
  }

  async #enqueue(
    name: JobName,
    payload: object,
    db: PgBoss.Db,
    startAfter: number,
    singletonKey: string,
  ): Promise<void> {
    for (let attempt = 0; attempt < MAX_SEND_ATTEMPTS; attempt++) {
      const id = await this.boss.send(name, payload, { db, startAfter, singletonKey });
      if (id !== null) return;
      // One is waiting. The update also locks it: no worker can take it before our transaction commits and then miss what we changed.
      // When it found none, a worker has just taken it, perhaps too early for our change: send again.
      const { rows } = await db.executeSql(BRING_FORWARD, [name, singletonKey, startAfter]);
      if (rows.length > 0) return;
    }
    throw new Error(`Job '${name}' could not be queued`);
  }
}

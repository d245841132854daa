import { Logger } from '@nestjs/common';
import type PgBoss from 'pg-boss';
import { JOB_OPTIONS, type JobName, type JobPayloads } from './job-names.js';
import type { JobQueue } from './job-queue.js';
import type { JobHandler } from './job-registry.js';
import { CancelJob, SnoozeJob } from './job-verdicts.js';
import { settlesWithin } from './settles-within.js';

/** How soon a job is seen that another process sent, or whose time has come. */
const POLL_INTERVAL_MS = 500;
/** Handing jobs back must not hold up the shutdown when the database does not answer: they expire anyway. */
const HAND_BACK_LIMIT_MS = 1_000;

type Job = PgBoss.JobWithMetadata<JobPayloads[JobName]>;

/**
 * Takes the jobs of one name and runs them. In place of pg-boss's own `work()`, which does not await the query that completes a job (when
 * the database restarts at that moment, the unhandled rejection ends the process) and pauses after each job while others are waiting.
 */
export class JobWorker {
  readonly #logger: Logger;
  readonly #limitMs: number;
  readonly #running = new Map<string, { job: Job; done: Promise<void> }>();
  #loop: Promise<void> = Promise.resolve();
  #isStopping = false;
  #isWoken = false;
  #endPause: (() => void) | undefined;

  constructor(
    private readonly name: JobName,
    private readonly handler: JobHandler<JobName>,
    private readonly boss: PgBoss,
    private readonly queue: JobQueue,
  ) {
    this.#logger = new Logger(`Job ${name}`);
    this.#limitMs = JOB_OPTIONS[name].expireInSeconds * 1_000;
  }

  start(): void {
    this.queue.onWake(this.name, () => {
      this.#wake();
    });
    this.#loop = this.#takeJobs();
  }

  /** Takes no more jobs, waits up to `graceMs` milliseconds for those running, and hands the rest back to run elsewhere at once. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    this.#wake();
    if (await settlesWithin(this.#drain(), graceMs)) return;
    const handedBack = [...this.#running.values()];
    this.#running.clear();
    this.#logger.warn(`Stopped with ${handedBack.length} running: handed back`);
    await settlesWithin(
      Promise.all(handedBack.map(({ job }) => this.#tryTo(job, () => this.#rerun(job, 0)))),
      HAND_BACK_LIMIT_MS,
    );
  }

  async #drain(): Promise<void> {
    await this.#loop;
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  #wake(): void {
    this.#isWoken = true;
    this.#endPause?.();
  }

  async #takeJobs(): Promise<void> {
    while (!this.#isStopping) {
      this.#isWoken = false;
      const free = JOB_OPTIONS[this.name].concurrency - this.#running.size;
      const takenAtMs = Date.now();
      const jobs = free > 0 ? await this.#fetch(free) : [];
      for (const job of jobs) this.#running.set(job.id, { job, done: this.#run(job, takenAtMs) });
      if (free === 0 || jobs.length < free) await this.#pause();
    }
  }

  async #fetch(batchSize: number): Promise<Job[]> {
    try {
      return await this.boss.fetch<JobPayloads[JobName]>(this.name, { batchSize, includeMetadata: true });
    } catch (error) {
      // The loop must outlive whatever happens to one query.
      this.#logger.error(`Could not take jobs: ${messageOf(error)}`);
      return [];
    }
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#isWoken) {
        resolve();
        return;
      }
      const timer = setTimeout(resolve, POLL_INTERVAL_MS);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#endPause = undefined;
  }

  async #run(job: Job, takenAtMs: number): Promise<void> {
    const record = await this.#outcomeOf(job);
    // Past its time limit the job may be another worker's already (this process may have been frozen), or is soon: it is not ours to settle.
    const isExpired = record === undefined || Date.now() - takenAtMs >= this.#limitMs;
    if (isExpired)
      this.#logger.error(`${job.id} passed its time limit of ${this.#limitMs} ms and starts again elsewhere`);
    else if (this.#running.has(job.id)) await this.#tryTo(job, record);
    this.#running.delete(job.id);
    this.#wake();
  }

  /** Runs the handler and returns how to record what it came to: undefined when the time limit came first. */
  async #outcomeOf(job: Job): Promise<(() => Promise<void>) | undefined> {
    try {
      if (!(await settlesWithin(this.handler(job.data), this.#limitMs))) return undefined;
      return () => this.boss.complete(this.name, job.id);
    } catch (error) {
      if (error instanceof SnoozeJob) return () => this.#rerun(job, error.seconds);
      if (error instanceof CancelJob) {
        this.#logger.warn(`${job.id} canceled: ${error.message}`);
        return () => this.boss.complete(this.name, job.id, { canceled: error.message });
      }
      const attempt = `attempt ${job.retryCount + 1} of ${job.retryLimit + 1}`;
      this.#logger.error(
        `${job.id} failed, ${attempt}: ${messageOf(error)}`,
        error instanceof Error ? error.stack : undefined,
      );
      // The message alone: pg-boss would store the whole error, an HTTP client's with the request's headers.
      return () => this.boss.fail(this.name, job.id, { message: messageOf(error) });
    }
  }

  /** Sent before the old one is completed: should we die in between, the job runs once too often, not once too rarely. */
  async #rerun(job: Job, startAfterSeconds: number): Promise<void> {
    await this.queue.send(this.name, job.data, { startAfterSeconds, singletonKey: job.singletonKey ?? undefined });
    await this.boss.complete(this.name, job.id);
  }

  async #tryTo(job: Job, record: () => Promise<void>): Promise<void> {
    try {
      await record();
    } catch (error) {
      this.#logger.error(
        `${job.id} is done but could not be recorded, so it starts again when it expires: ${messageOf(error)}`,
      );
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

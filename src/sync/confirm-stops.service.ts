import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { confirmStop, failStop, forgetStopJob, type StopJob, takeDueStopJobs } from '../catalog/offer-stops.queries.js';
import { G2aClient } from '../g2a/g2a-client.js';
import type { CallLimits } from '../upstream/upstream-client.js';
import { UpstreamError } from '../upstream/upstream-error.js';
import { FailingOffersService } from './failing-offers.service.js';

/** Jobs asked about in one call; the rest is due in the next. */
const MAX_JOBS = 200;
/** Questions under way at once. */
const CONCURRENCY = 8;
/** A question that takes longer has failed: the next one is soon enough. */
const LIMITS: CallLimits = { priority: 'upkeep', timeoutMs: 3000, retries: 0, maxWaitMs: 0 };

/** Whoever stops selling must know that it happened: each stop is followed through its job at G2A. */
@Injectable()
export class ConfirmStopsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly g2a: G2aClient,
    private readonly failing: FailingOffersService,
  ) {}

  /**
   * Asks about the stops whose turn it is.
   * @returns whether G2A was asked.
   * @throws UpstreamError when G2A cannot be reached or has no room: the rest is asked about later.
   */
  async confirmDue(): Promise<boolean> {
    const jobs = await takeDueStopJobs(this.dataSource.manager, MAX_JOBS);
    const queue = jobs.values();
    const work = async (): Promise<void> => {
      for (const job of queue) await this.confirm(job);
    };
    const results = await Promise.allSettled(Array.from({ length: CONCURRENCY }, work));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return jobs.length > 0;
  }

  private async confirm(stop: StopJob): Promise<void> {
    const { manager } = this.dataSource;
    const failure = await this.failureOf(stop);
    if (failure === undefined) return;
    const trouble = failure === null ? await confirmStop(manager, stop) : await failStop(manager, stop, failure);
    if (trouble !== null) await this.failing.report(trouble);
  }

  /** Why the job failed; null when it is done, undefined while nobody knows. */
  private async failureOf(stop: StopJob): Promise<string | null | undefined> {
    try {
      const job = await this.g2a.job(stop.jobId, LIMITS);
      const failed = job.elements.find((element) => element.state === 'failed');
      if (failed !== undefined || job.state === 'failed') {
        const details = [failed?.code, failed?.message].filter((detail) => detail !== null && detail !== undefined);
        return `its job failed: ${details.join(' ')}`;
      }
      const isDone = job.state === 'completed' && job.elements.every((element) => element.state === 'completed');
      return isDone ? null : undefined;
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      // An answer, but none about the job: there will be no better one.
      if (error.kind === 'rejected' || error.kind === 'unknown') {
        await forgetStopJob(this.dataSource.manager, stop);
        return undefined;
      }
      throw error;
    }
  }
}

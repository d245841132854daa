import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AlertsService } from '../alerts/alerts.service.js';
import { AppConfig } from '../config/app-config.js';
import { SyncRoundService } from './sync-round.service.js';

/** One replica syncs at a time; any constant that nothing else of ours locks ("SYNC" in ASCII). */
const SYNC_LOCK = 0x53594e43;

const INTERVAL_NAME = 'sync';
/** How long a shutdown waits for a round; supervisors give 10 s for everything. */
const SHUTDOWN_PATIENCE_MS = 5000;

const noop = (): void => undefined;

/** Runs a round every SYNC_INTERVAL_SECONDS: never two at once, neither here nor on another replica. */
@Injectable()
export class SyncClockService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(SyncClockService.name);
  private running: Promise<void> | null = null;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly scheduler: SchedulerRegistry,
    private readonly round: SyncRoundService,
    private readonly alerts: AlertsService,
  ) {}

  onApplicationBootstrap(): void {
    const interval = setInterval(() => void this.tick(), this.config.syncIntervalSeconds * 1000);
    this.scheduler.addInterval(INTERVAL_NAME, interval);
    void this.tick();
  }

  /** Stops the clock and waits for the round under way, within reason: every step of it may be cut off. */
  async onModuleDestroy(): Promise<void> {
    if (this.scheduler.doesExist('interval', INTERVAL_NAME)) this.scheduler.deleteInterval(INTERVAL_NAME);
    const patience = new AbortController();
    await Promise.race([this.running, sleep(SHUTDOWN_PATIENCE_MS, undefined, { signal: patience.signal }).catch(noop)]);
    patience.abort();
  }

  /** One round; while one is under way, that one. Never rejects: trouble is logged, and the next tick tries again. */
  async tick(): Promise<void> {
    this.running ??= this.runAsLeader()
      .then(() => this.alerts.clear('sync_failed'))
      .catch((error: unknown) => this.reportFailure(error))
      .finally(() => {
        this.running = null;
      });
    await this.running;
  }

  private async reportFailure(error: unknown): Promise<void> {
    this.logger.error(`sync failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    try {
      await this.alerts.raise('sync_failed', '', error instanceof Error ? error.message : String(error));
    } catch {
      // The database is what failed: the line above is all that can be said.
    }
  }

  private async runAsLeader(): Promise<void> {
    // The lock lives on a connection of its own for the length of the round; PostgreSQL frees it if this process dies.
    const lock = this.dataSource.createQueryRunner();
    try {
      const rows = await lock.manager.query<{ locked: boolean }[]>('SELECT pg_try_advisory_lock($1) AS locked', [
        SYNC_LOCK,
      ]);
      if (rows[0]?.locked !== true) return;
      try {
        await this.round.run();
      } finally {
        await lock.query('SELECT pg_advisory_unlock($1)', [SYNC_LOCK]);
      }
    } finally {
      await lock.release();
    }
  }
}

import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AppConfig } from '../config/app-config.js';
import { SyncRoundService } from './sync-round.service.js';

/** One replica syncs at a time; any constant that nothing else of ours locks ("SYNC" in ASCII). */
const SYNC_LOCK = 0x53594e43;

const INTERVAL_NAME = 'sync';

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
  ) {}

  onApplicationBootstrap(): void {
    const interval = setInterval(() => void this.tick(), this.config.syncIntervalSeconds * 1000);
    this.scheduler.addInterval(INTERVAL_NAME, interval);
    void this.tick();
  }

  /** Stops the clock and waits for the round under way. */
  async onModuleDestroy(): Promise<void> {
    if (this.scheduler.doesExist('interval', INTERVAL_NAME)) this.scheduler.deleteInterval(INTERVAL_NAME);
    await this.running;
  }

  /** One round; while one is under way, that one. Never rejects: trouble is logged, and the next tick tries again. */
  async tick(): Promise<void> {
    this.running ??= this.runAsLeader()
      .catch((error: unknown) => {
        this.logger.error(`sync failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      })
      .finally(() => {
        this.running = null;
      });
    await this.running;
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

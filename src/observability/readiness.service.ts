import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { withDeadline } from './with-deadline.js';

/** What keeps the process from serving. */
export type ReadinessFailure = 'shutting_down' | 'database' | 'migrations';

/** A slower database is as good as none: G2A gives up on us before long. */
const DATABASE_DEADLINE_MS = 2_000;

/** Whether requests should be sent to this process. */
@Injectable()
export class ReadinessService implements OnModuleDestroy {
  private isShuttingDown = false;

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * From now on the process is not ready. To be called when the signal arrives: Nest destroys the modules one after another
   * and the global ones, such as this, last.
   */
  announceShutdown(): void {
    this.isShuttingDown = true;
  }

  onModuleDestroy(): void {
    this.announceShutdown();
  }

  /** The first check that fails, or null when the process is ready. Takes up to 2 s. */
  async failure(): Promise<ReadinessFailure | null> {
    if (this.isShuttingDown) return 'shutting_down';
    try {
      const query = this.dataSource.query<[{ isMigrated: boolean }]>(
        `SELECT to_regclass('schema_migrations') IS NOT NULL AS "isMigrated"`,
      );
      const [{ isMigrated }] = await withDeadline(query, DATABASE_DEADLINE_MS);
      return isMigrated ? null : 'migrations';
    } catch {
      // What exactly went wrong is in the database's log line; the answer is public and must not tell.
      return 'database';
    }
  }
}

import { type DynamicModule, Module } from '@nestjs/common';
import PgBoss from 'pg-boss';
import { DATABASE_URL } from '../database/database.tokens.js';
import { JobDatabase } from './job-database.js';
import { JobQueue } from './job-queue.js';
import { JobRegistry } from './job-registry.js';
import { IS_WORKING, JobRunner } from './job-runner.service.js';
import { startBoss } from './start-boss.js';

export interface JobsModuleOptions {
  /** Whether this process takes jobs; default true. False (CLI): it can send, and needs no handlers. */
  isWorking?: boolean;
}

/** Background work that survives the process. Global; needs DATABASE_URL from another global module. Exports JobQueue and JobRegistry. */
@Module({})
export class JobsModule {
  static forRoot({ isWorking = true }: JobsModuleOptions = {}): DynamicModule {
    return {
      module: JobsModule,
      global: true,
      providers: [
        { provide: IS_WORKING, useValue: isWorking },
        { provide: JobDatabase, inject: [DATABASE_URL], useFactory: (url: string) => new JobDatabase(url) },
        // Started before any provider that could send exists.
        {
          provide: PgBoss,
          inject: [JobDatabase],
          useFactory: (database: JobDatabase) => startBoss(database, isWorking),
        },
        JobQueue,
        JobRegistry,
        JobRunner,
      ],
      exports: [JobQueue, JobRegistry],
    };
  }
}

import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { serviceDataSourceOptions } from './data-source-options.js';
import { DATABASE_URL } from './database.tokens.js';

/** The TypeORM connection pool of this process, and the URL for those that need a connection of their own (pg-boss). */
@Module({})
export class DatabaseModule {
  static forRoot(url: string): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      imports: [TypeOrmModule.forRoot({ ...serviceDataSourceOptions(url), autoLoadEntities: true, retryAttempts: 0 })],
      providers: [{ provide: DATABASE_URL, useValue: url }],
      exports: [DATABASE_URL],
    };
  }
}

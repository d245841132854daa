import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { AppConfig, type DatabaseConfig } from './app-config.js';
import { parseDatabaseEnvironment, parseEnvironment } from './environment.js';

/** Makes the configuration injectable everywhere, under its class: `constructor(private readonly config: AppConfig)`. */
@Module({})
export class AppConfigModule {
  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: AppConfigModule,
      global: true,
      providers: [{ provide: AppConfig, useValue: config }],
      exports: [AppConfig],
    };
  }
}

/**
 * The configuration from process.env and, for what is not set there, from `.env` in the working directory.
 * @throws ConfigurationError that lists every problem.
 */
export function loadConfig(): Promise<AppConfig> {
  return load(parseEnvironment);
}

/**
 * Like loadConfig, but only what decides which database is used: for commands that need no marketplace credentials.
 * @throws ConfigurationError that lists every problem of these variables.
 */
export function loadDatabaseConfig(): Promise<DatabaseConfig> {
  return load(parseDatabaseEnvironment);
}

async function load<T>(parse: (raw: Record<string, unknown>) => T): Promise<T> {
  const parsed: T[] = [];
  // forRoot reads and validates by itself, so no application context is started for it: one with `logger: false` would
  // also silence Nest's logger for the whole process.
  await ConfigModule.forRoot({
    validate: (raw) => {
      parsed.push(parse(raw));
      // forRoot copies what is returned here into process.env: nothing, so that no secret reaches a child process that way.
      return {};
    },
  });
  const [config] = parsed;
  if (config === undefined) throw new Error('@nestjs/config did not call validate');
  return config;
}

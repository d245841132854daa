import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Command } from 'commander';
import { AppModule } from './app.module.js';
import type { AppConfig } from './config/app-config.js';
import { whenNpmEnds } from './config/end-of-npm.js';
import { loadConfig } from './config/config.module.js';
import { ConfigurationError } from './config/configuration-error.js';
import { type DatabaseServer, openDatabaseServer } from './database/database-server.js';
import { runMigrations } from './database/migrations.js';
import { serveDocs } from './dropshipping/openapi/serve-docs.js';
import { ReadinessService } from './observability/readiness.service.js';
import { ServiceLogger } from './observability/service-logger.js';
import { configureHttp, fastifyOptions } from './dropshipping/http-setup.js';

/** Time for requests and jobs under way after SIGTERM. Supervisors kill after 10 s or more. */
const SHUTDOWN_LIMIT_MS = 10_000;

const logger = new Logger('Keyferry');

function report(line: string): void {
  logger.log(line);
}

/** Answers --help. Ends with 1 at any other argument: it was meant for the commands, and must not start a shop that sells. */
function refuseArguments(): void {
  new Command('npm start')
    .description(
      'Runs Keyferry, which sells CodesWholesale game keys on G2A, until it is stopped. It takes no arguments: settings come from ' +
        'the environment and from .env (see .env.example). `npm run cli -- --help` lists the commands that look after it.',
    )
    .helpOption('-h, --help', 'show this and start nothing')
    .allowExcessArguments(false)
    .showHelpAfterError('Nothing was started: the service takes no arguments. Commands: npm run cli -- --help')
    .parse();
}

async function main(): Promise<void> {
  refuseArguments();
  const config = await loadConfig();
  Logger.overrideLogger(new ServiceLogger({ isJson: config.isProduction, isTerminal: process.stdout.isTTY }));
  const database = await openDatabaseServer({ databaseUrl: config.databaseUrl, log: report });
  const applied = await runMigrations(database.url);
  if (applied.length > 0) logger.log(`applied ${applied.length} migrations`);

  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(config, database.url),
    new FastifyAdapter(fastifyOptions(config)),
    { abortOnError: false },
  );
  configureHttp(app);
  serveDocs(app);
  stopOnSignal(app, database);
  await listen(app, config);
  const url = await app.getUrl();
  logger.log(`listening on ${url}${config.isServiceEnabled ? '' : ' (SERVICE_ENABLED=false: nothing new is sold)'}`);
  // A parent with an IPC channel (the demo, the tests) learns the port that PORT=0 found.
  process.send?.({ listening: url });
}

/** @throws ConfigurationError when the address cannot be had. */
async function listen(app: NestFastifyApplication, { port, host }: AppConfig): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE' || code === 'EACCES') {
      const problem = code === 'EACCES' ? 'may not be used by this user' : 'is in use already';
      throw new ConfigurationError([{ variable: 'PORT', problem: `${port} ${problem}` }]);
    }
    if (code !== 'ENOTFOUND' && code !== 'EADDRNOTAVAIL') throw error;
    throw new ConfigurationError([{ variable: 'HOST', problem: `'${host}' is no address of this machine` }]);
  }
}

/** SIGTERM, SIGINT and the end of the npm that started us: stop taking requests and jobs, finish those under way, and leave the database last. */
function stopOnSignal(app: NestFastifyApplication, database: DatabaseServer): void {
  let isStopping = false;
  const stop = async (reason: string): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    logger.log(`${reason}: stopping`);
    app.get(ReadinessService).announceShutdown();
    setTimeout(() => {
      logger.error(`not stopped within ${SHUTDOWN_LIMIT_MS / 1000} s: leaving work to the next start`);
      process.exit(1);
    }, SHUTDOWN_LIMIT_MS).unref();
    await app.close();
    await database.release();
    process.exit(0);
  };
  const stopBecauseOf = (reason: string): void => {
    stop(reason).catch((error: unknown) => {
      logger.error(`stopping failed: ${String(error)}`);
      process.exit(1);
    });
  };
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      stopBecauseOf(signal);
    });
  }
  whenNpmEnds(() => {
    stopBecauseOf('npm has ended');
  });
}

main().catch((error: unknown) => {
  if (error instanceof ConfigurationError) process.stderr.write(`${error.message}\n`);
  else logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
});

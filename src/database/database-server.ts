import { join } from 'node:path';
import { openEmbeddedPostgres } from './embedded/embedded-postgres.js';

/** A PostgreSQL server that this process may use, and how to leave it. */
export interface DatabaseServer {
  /** Connection URL; contains a password. */
  readonly url: string;
  readonly isEmbedded: boolean;
  /** Leaves the server: an embedded one stops when nobody else uses it, a given one is left alone. */
  release(): Promise<void>;
}

/** Folder below the working directory that holds the embedded server's data, password and log. */
export const STATE_DIRECTORY = '.keyferry';

/**
 * The configured server, or an embedded one under `.keyferry/` when none is configured. Whether an embedded one is allowed
 * was decided when the environment was parsed.
 */
export async function openDatabaseServer(config: {
  databaseUrl?: string;
  log?: (line: string) => void;
}): Promise<DatabaseServer> {
  if (config.databaseUrl !== undefined) {
    return { url: config.databaseUrl, isEmbedded: false, release: () => Promise.resolve() };
  }
  const server = await openEmbeddedPostgres({ directory: join(process.cwd(), STATE_DIRECTORY), log: config.log });
  return { url: server.url, isEmbedded: true, release: () => server.release() };
}

import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, DatabaseError, escapeIdentifier } from 'pg';
import { SERVER_USER } from './data-directory.js';
import { POLL_MILLISECONDS } from './server-process.js';

/** "KFPG" in ASCII. Held in the database `postgres`: shared by everyone who uses the server, exclusive by the one who stops it. */
const PRESENCE_LOCK = 0x4b465047;
/** Our own pool's connections may need a moment to disappear from PostgreSQL's list after they were closed. */
const FAREWELL_MILLISECONDS = 1_000;
const CONNECT_TIMEOUT_MILLISECONDS = 5_000;

/** Thrown when the server is there but is not ours to use; trying again does not help. */
export class NotOurServerError extends Error {}

/**
 * One connection per process that says "I use this server", as long as it is open. Death by kill -9 takes it back as well. The
 * connection does not keep the process alive.
 */
export class Presence {
  private isLost = false;

  private constructor(
    private readonly client: Client,
    private readonly socket: Socket,
  ) {
    // An idle connection reports the server's end here; without a listener that would end our process.
    client.on('error', () => (this.isLost = true));
    client.on('end', () => (this.isLost = true));
  }

  /**
   * Connects and registers. Waits while somebody stops the server; the stop then ends this connection.
   * @throws NotOurServerError when the password is refused or the server serves another data directory; any other error means
   * "not now".
   */
  static async enter(port: number, password: string, dataDirectory: string): Promise<Presence> {
    const socket = new Socket();
    const client = new Client({
      host: '127.0.0.1',
      port,
      user: SERVER_USER,
      password,
      database: 'postgres',
      ssl: false,
      application_name: 'keyferry-presence',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS,
      keepAlive: true,
      stream: () => socket,
    });
    const presence = new Presence(client, socket);
    try {
      await client.connect();
      const { rows } = await client.query<{ served: string }>(`SELECT current_setting('data_directory') AS served`);
      const served = rows[0]?.served;
      if (served !== dataDirectory) {
        throw new NotOurServerError(`the server on port ${port} serves ${String(served)}, not ${dataDirectory}.`);
      }
      await client.query('SELECT pg_advisory_lock_shared($1)', [PRESENCE_LOCK]);
      socket.unref();
      return presence;
    } catch (error) {
      await presence.disconnect();
      if (error instanceof DatabaseError && error.code?.startsWith(INVALID_AUTHORIZATION_CLASS)) {
        throw new NotOurServerError(`the server on port ${port} refuses the saved password.`, { cause: error });
      }
      throw error;
    }
  }

  /** False after the server ended this connection. */
  get isAlive(): boolean {
    return !this.isLost;
  }

  async createDatabaseIfMissing(name: string): Promise<void> {
    this.socket.ref();
    const { rowCount } = await this.client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) {
      await this.client.query(`CREATE DATABASE ${escapeIdentifier(name)}`).catch((error: unknown) => {
        if (!(error instanceof DatabaseError && DATABASE_EXISTS.includes(error.code ?? ''))) throw error;
      });
    }
    this.socket.unref();
  }

  /**
   * Takes the registration back and disconnects. When nobody else uses the server, `stop` runs first; newcomers wait meanwhile.
   * Connections that do not register (psql, our own pool when it was not closed) count as users too.
   */
  async leave(stop: () => Promise<void>): Promise<void> {
    this.socket.ref();
    try {
      await this.client.query('SELECT pg_advisory_unlock_shared($1)', [PRESENCE_LOCK]);
      const { rows } = await this.client.query<{ is_last: boolean }>('SELECT pg_try_advisory_lock($1) AS is_last', [
        PRESENCE_LOCK,
      ]);
      if (rows[0]?.is_last === true && (await this.isAlone())) await stop();
    } finally {
      await this.disconnect();
    }
  }

  private async isAlone(): Promise<boolean> {
    for (const deadline = Date.now() + FAREWELL_MILLISECONDS; ;) {
      const { rowCount } = await this.client.query(
        `SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      );
      if (rowCount === 0) return true;
      if (Date.now() > deadline) return false;
      await sleep(POLL_MILLISECONDS);
    }
  }

  private async disconnect(): Promise<void> {
    await this.client.end().catch(() => undefined);
    this.socket.destroy();
  }
}

/** SQLSTATE class 28: invalid_authorization_specification, invalid_password. */
const INVALID_AUTHORIZATION_CLASS = '28';
/** SQLSTATE duplicate_database, and unique_violation when two create it at the same moment. */
const DATABASE_EXISTS = ['42P04', '23505'];

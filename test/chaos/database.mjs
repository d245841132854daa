import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { initializeDataDirectory, locateServerHome, SERVER_USER } from '../../dist/database/embedded/data-directory.js';
import { readServerLock } from '../../dist/database/embedded/lock-file.js';
import { readOrCreatePassword } from '../../dist/database/embedded/password-file.js';
import { prepareBinaries } from '../../dist/database/embedded/postgres-binaries.js';
import { spawnOptions } from '../../dist/database/embedded/server-account.js';

const SHARED_DIRECTORY = '/var/lib/keyferry';
const NAME = 'keyferry';
const START_ATTEMPTS = 20;
const CONNECT_ATTEMPTS = 50;

/** How a server is made to stop: with its clients disconnected and its data written, or as if it had crashed. */
const STOP_SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT' };

/**
 * A PostgreSQL of our own, from the programs of the embedded one, that keeps its port over restarts.
 * @param directory empty; every user may enter it.
 * @returns url, query(text, values), copy(name) to a further database of this content (its URL), restart(how, downMs) and close().
 */
export async function openDatabase(directory) {
  const password = await readOrCreatePassword(join(directory, 'postgres-password'));
  const home = await locateServerHome(directory, password, SHARED_DIRECTORY);
  const binaries = await prepareBinaries(home.account, home.account === undefined ? directory : SHARED_DIRECTORY);
  await initializeDataDirectory(home, binaries, password, false);
  const port = await freePort();
  const urlOf = (name) => `postgres://${SERVER_USER}:${password}@127.0.0.1:${port}/${name}`;
  const logFile = join(directory, 'postgres.log');

  let server = await startServer({ home, binaries, port, logFile });
  const stop = async (how) => {
    server.kill(STOP_SIGNALS[how]);
    await server.ended;
  };
  // One after the other: whoever closes must not leave a server behind that is just being started.
  let isClosed = false;
  let turn = Promise.resolve();
  const inTurn = (work) => (turn = turn.then(() => (isClosed ? undefined : work())));
  await query(urlOf('postgres'), `CREATE DATABASE ${NAME}`);
  return {
    url: urlOf(NAME),
    query: (text, values) => query(urlOf(NAME), text, values),
    copy: async (name) => {
      await query(urlOf('postgres'), `CREATE DATABASE ${name} TEMPLATE ${NAME}`);
      return urlOf(name);
    },
    restart: (how, downMs) =>
      inTurn(async () => {
        await stop(how);
        await sleep(downMs);
        server = await startServer({ home, binaries, port, logFile });
      }),
    close: () =>
      inTurn(async () => {
        isClosed = true;
        await stop('immediate');
      }),
  };
}

async function startServer({ home, binaries, port, logFile }) {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    // Our "crashes" end the server, never the operating system: what was written is there afterwards.
    fsync: 'off',
  };
  for (let attempt = 1; attempt <= START_ATTEMPTS; attempt += 1) {
    const log = openSync(logFile, 'a');
    const child = spawn(
      binaries.postgres,
      ['-D', home.dataDirectory, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      { ...spawnOptions(home.account), detached: true, stdio: ['ignore', log, log] },
    );
    closeSync(log);
    const ended = once(child, 'exit');
    while (child.exitCode === null && child.signalCode === null) {
      const lock = await readServerLock(home.dataDirectory);
      if (lock?.processId === child.pid && lock.isReady) return { kill: (signal) => child.kill(signal), ended };
      await sleep(25);
    }
    await sleep(200);
  }
  throw new Error(`PostgreSQL does not start, see ${logFile}`);
}

/** On a connection of its own: none is left to break when the server restarts. */
async function query(connectionString, text, values) {
  const client = await connect(connectionString);
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

async function connect(connectionString) {
  for (let attempt = 1; ; attempt += 1) {
    const client = new pg.Client({ connectionString, application_name: 'chaos' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (attempt === CONNECT_ATTEMPTS) throw error;
      await sleep(200);
    }
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

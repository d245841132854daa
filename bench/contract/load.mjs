import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { percentile } from '../support/statistics.mjs';
import { Connection } from './connection.mjs';

/** For the answers to the last requests of a paced run. */
const DRAIN_LIMIT_MS = 10_000;

/**
 * As many requests as the server takes: each connection sends the next one when it has the last answer.
 * @param requests pre-built; each connection starts at another one of them.
 * @param limit `{ seconds }`, or `{ amount }` for requests that can be sent only once (a multiple of connections).
 * @returns answers per second, and how many requests failed.
 */
export async function maximumRate(url, requests, { connections, seconds, amount }) {
  let client = 0;
  const share = Math.floor(requests.length / connections);
  const startedAt = performance.now();
  const result = await autocannon({
    url,
    connections,
    ...(amount === undefined ? { duration: seconds } : { amount }),
    timeout: 10,
    setupClient: (instance) => {
      const start = client * share;
      client += 1;
      const own =
        amount === undefined
          ? [...requests.slice(start), ...requests.slice(0, start)]
          : requests.slice(start, start + share);
      // Copies, for autocannon keeps what it built inside the request.
      instance.setRequests(own.map((request) => ({ ...request })));
    },
  });
  const elapsedSeconds = amount === undefined ? result.duration : (performance.now() - startedAt) / 1000;
  const count = result['2xx'];
  return { count, rate: count / elapsedSeconds, errors: result.errors + result.non2xx };
}

/**
 * Requests at an even pace, whatever the server does. Not autocannon, whose rate limit lets every connection send its share in
 * one burst at the start of each second. The time of an answer counts from when its request was due, so that waiting for a
 * free connection counts too.
 * @param next the next request, or null when there is none to send at the moment; its `onAnswer` gets a successful body.
 * @returns times in milliseconds, how many requests failed, and how many were never sent because no connection got free in time.
 */
export async function paced(url, next, { connections, rate, seconds }) {
  const idle = await Promise.all(Array.from({ length: connections }, () => Connection.open(url)));
  const all = [...idle];
  const queue = [];
  const times = [];
  let errors = 0;
  const work = async (connection, first) => {
    for (let job = first; job !== undefined; job = queue.shift()) {
      try {
        const { status, body } = await connection.send(job.request);
        if (status >= 300) errors += 1;
        else job.request.onAnswer?.(body);
        times.push(performance.now() - job.dueAt);
      } catch {
        errors += 1;
        if (connection.isClosed) return;
      }
    }
    idle.push(connection);
  };
  const startedAt = performance.now();
  for (let dueAt = startedAt; dueAt < startedAt + seconds * 1000;) {
    for (; dueAt <= performance.now(); dueAt += 1000 / rate) {
      const request = next();
      if (request === null) continue;
      // The one unused for longest: the server closes a connection that stays idle.
      const connection = idle.shift();
      if (connection === undefined) queue.push({ request, dueAt });
      else void work(connection, { request, dueAt });
    }
    await sleep(1);
  }
  const deadline = performance.now() + DRAIN_LIMIT_MS;
  while (idle.length < all.length && all.some(({ isClosed }) => !isClosed) && performance.now() < deadline)
    await sleep(1);
  for (const connection of all) connection.close();
  return { errors, unsent: queue.splice(0).length, times };
}

/** All requests of these paced runs together, as if they were one long run; `p99s` those of each. */
export function together(runs) {
  const sum = (name) => runs.reduce((total, run) => total + run[name], 0);
  const quantile = (times, share) => percentile(Float64Array.from(times).sort(), share);
  const times = runs.flatMap((run) => run.times);
  return {
    count: times.length,
    errors: sum('errors'),
    unsent: sum('unsent'),
    median: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    p99s: runs.map((run) => quantile(run.times, 0.99)),
  };
}

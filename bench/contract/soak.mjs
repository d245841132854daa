import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../support/statistics.mjs';
import { paced, together } from './load.mjs';

/** Requests per second of each route: what two cores carry easily together with the purchases behind the orders. */
const RATES = { healthcheck: 50, token: 10, reservation: 60, order: 20, inventory: 120 };
const SAMPLE_MS = 2_000;
/** The same load before the soak. */
const WARM_UP_SECONDS = 60;
/** At the beginning and at the end of the soak; of a short one its halves. */
const COMPARED_SECONDS = 60;
const KNOWN_ORDERS = 320;
export const GROWTH_LIMIT = 0.1;
/** Connections, and as many handles, that pools may open after the warm-up. */
const LATE_CONNECTIONS = 4;

/** A mixed load for `minutes`, with memory, database connections and handles of the program. */
export async function soak(stage, customers, { soakMinutes, connections }, log) {
  const orderIds = await customers.completedOrders(KNOWN_ORDERS);
  const seconds = WARM_UP_SECONDS + soakMinutes * 60;
  log(
    `warming up for ${WARM_UP_SECONDS} s and soaking for ${soakMinutes} min at ${Object.entries(RATES)
      .map(([name, rate]) => `${rate} ${name}`)
      .join(', ')} a second`,
  );
  const sampling = { isOver: false };
  const sampled = sample(stage, seconds, sampling, log);
  const run = async (name, next) =>
    together([
      await paced(stage.app.url, next, { connections: Math.ceil(connections / 4), rate: RATES[name], seconds }),
    ]);

  // Each reservation is ordered while it is young; the inventory of new orders is read as well as that of old ones.
  const reservations = [];
  const [healthcheck, token, reservation, order, inventory] = await Promise.all([
    run('healthcheck', () => customers.healthcheck()),
    run('token', () => customers.token()),
    run('reservation', () => ({
      ...customers.reservation(),
      onAnswer: (body) => {
        if (reservations.length < 100) reservations.push(JSON.parse(body).reservation_id);
      },
    })),
    run('order', () => {
      const reservationId = reservations.shift();
      if (reservationId === undefined) return null;
      return {
        ...customers.order(reservationId),
        onAnswer: (body) => {
          customers.countOrders(1);
          orderIds[Math.floor(Math.random() * orderIds.length)] = JSON.parse(body).order_id;
        },
      };
    }),
    run('inventory', () => customers.inventory(orderIds[Math.floor(Math.random() * orderIds.length)])),
  ]);
  sampling.isOver = true;
  const samples = await sampled;
  await customers.purchasesDone();

  const routes = { healthcheck, token, reservation, order, inventory };
  const errors = Object.values(routes).reduce((sum, route) => sum + route.errors, 0);
  const unsent = Object.values(routes).reduce((sum, route) => sum + route.unsent, 0);
  const compared = ends(samples);
  const growthOf = (name) => compared.end[name] / compared.start[name] - 1;
  const growth = Math.max(growthOf('lowestMiB'), growthOf('meanMiB'), growthOf('highestMiB'));
  const missed = [
    ...(errors > 0 ? [`${errors} errors`] : []),
    ...(unsent > 0 ? [`${unsent} requests were never sent: the machine cannot carry the load`] : []),
    ...(growth >= GROWTH_LIMIT ? [`memory grew by ${(growth * 100).toFixed(1)} %`] : []),
    // A leak goes on and on.
    ...['connections', 'handles']
      .filter((name) => compared.end[name] > compared.start[name] + LATE_CONNECTIONS)
      .map((name) => `${name} rose from ${compared.start[name]} to ${compared.end[name]}`),
  ];
  return { minutes: soakMinutes, rates: RATES, routes, errors, unsent, growth, ...compared, samples, missed };
}

async function sample(stage, seconds, sampling, log) {
  const samples = [];
  const startedAt = Date.now();
  let minute = 0;
  while (!sampling.isOver) {
    const atSeconds = (Date.now() - startedAt) / 1000;
    samples.push({ atSeconds, ...processState(stage.app.pid), connections: await connectionCount(stage) });
    if (atSeconds >= minute * 60) {
      const { rssMiB, connections, handles } = samples.at(-1);
      log(`${minute} min: ${rssMiB.toFixed(0)} MiB, ${connections} connections, ${handles} handles`);
      minute += 1;
    }
    await sleep(SAMPLE_MS);
  }
  return samples.filter(({ atSeconds }) => atSeconds <= seconds);
}

/** The first and the last minute after the warm-up: what lives for good shows in the lowest memory, what is needed in the mean, what gathers in the highest. */
function ends(samples) {
  const measured = samples.filter(({ atSeconds }) => atSeconds >= WARM_UP_SECONDS);
  const [first, last] = [measured[0].atSeconds, measured.at(-1).atSeconds];
  const compared = Math.min(COMPARED_SECONDS, (last - first) / 2);
  const summary = (part) => ({
    lowestMiB: Math.min(...part.map(({ rssMiB }) => rssMiB)),
    meanMiB: part.reduce((sum, { rssMiB }) => sum + rssMiB, 0) / part.length,
    highestMiB: Math.max(...part.map(({ rssMiB }) => rssMiB)),
    connections: median(part.map(({ connections }) => connections)),
    handles: median(part.map(({ handles }) => handles)),
  });
  return {
    start: summary(measured.filter(({ atSeconds }) => atSeconds < first + compared)),
    end: summary(measured.filter(({ atSeconds }) => atSeconds > last - compared)),
  };
}

/** Resident memory and open file descriptors, from /proc: the soak runs on Linux only. */
function processState(pid) {
  const status = `/proc/${pid}/status`;
  if (!existsSync(status)) throw new Error('the soak reads memory and handles from /proc, which only Linux has');
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(status, 'utf8'));
  return { rssMiB: Number(kibibytes) / 1024, handles: readdirSync(`/proc/${pid}/fd`).length };
}

async function connectionCount({ admin, databaseName }) {
  const { rows } = await admin.query(
    'SELECT count(*)::integer AS count FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE $2',
    [databaseName, 'keyferry%'],
  );
  return rows[0].count;
}

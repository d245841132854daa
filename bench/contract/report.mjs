import { availableParallelism } from 'node:os';
import { ORDER_MEDIAN_LIMIT_MS, P99_LIMIT_MS, PACED_SECONDS } from './measure.mjs';
import { describeSteps } from './statements.mjs';

const cell = (value, width) => String(value).padStart(width);

export function printRoutes({ results, poolSize }, { connections, seconds, rounds }) {
  console.log(
    `contract: ${connections} connections, ${availableParallelism()} cores, Node ${process.versions.node}, pool of ${poolSize}; median of ${rounds} x ${seconds} s each side, alternating`,
  );
  console.log('limit: bare Fastify, the same number and kinds of SQL statements with pg, in the same run');
  const widths = [12, 10, 10, 8, 8, 9, 10, 11, 8];
  const titles = ['route', 'ours/s', 'limit/s', 'ratio', 'target', 'median', 'p99', 'limit p99', 'errors'];
  const row = (values) =>
    console.log(values.map((value, i) => (i === 0 ? value.padEnd(widths[i]) : cell(value, widths[i]))).join(''));
  row(titles);
  for (const result of results) {
    row([
      result.name,
      Math.round(result.ratePerSecond),
      Math.round(result.limitPerSecond),
      result.ratio.toFixed(2),
      result.ratioTarget ?? '',
      `${result.halfRate.median.toFixed(1)} ms`,
      `${result.halfRate.p99.toFixed(1)} ms`,
      `${result.limitHalfRate.p99.toFixed(1)} ms`,
      result.errors,
    ]);
  }
  console.log(
    `median and p99: ours at half its maximum rate, evenly paced for ${PACED_SECONDS} s, from when each request was due, of all requests of ${rounds} such runs; p99 below ${P99_LIMIT_MS} ms wanted; limit p99: the limit at that same pace, alternating`,
  );
  const list = (times) => times.map((time) => time.toFixed(0)).join(', ');
  for (const { name, halfRate, limitHalfRate } of results) {
    console.log(
      `  ${name.padEnd(12)}p99 of each run: ours ${list(halfRate.p99s)}, limit ${list(limitHalfRate.p99s)} ms`,
    );
  }
  for (const { name, steps, cwsProductRequests, measuredSeconds } of results) {
    const asked = `${cwsProductRequests} product requests to CodesWholesale in ${measuredSeconds.toFixed(0)} s`;
    console.log(`  ${name.padEnd(12)}SQL statements ${describeSteps(steps)}; ${asked}`);
  }
  if (results.every(({ processorMs }) => processorMs.ours !== null)) printProcessorTime(results);
  for (const { name, median, p99 } of results.flatMap(({ troubles }) => troubles ?? [])) {
    console.log(
      `POST /order while CodesWholesale ${name.padEnd(11)}: median ${median.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms (median below ${ORDER_MEDIAN_LIMIT_MS} ms wanted)`,
    );
  }
  printVerdict(results.flatMap(({ name, missed }) => missed.map((text) => `${name}: ${text}`)));
}

function printProcessorTime(results) {
  console.log(
    'processor time per answer in ms, server + its PostgreSQL backends (an order: with the purchases meanwhile)',
  );
  const both = ({ server, database }) => `${server.toFixed(2)} + ${database.toFixed(2)}`;
  for (const { name, processorMs } of results) {
    console.log(`  ${name.padEnd(12)}ours ${both(processorMs.ours)}, limit ${both(processorMs.limit)}`);
  }
}

const range = ({ lowestMiB, meanMiB, highestMiB }) =>
  `${lowestMiB.toFixed(0)} to ${highestMiB.toFixed(0)} MiB, mean ${meanMiB.toFixed(0)}`;

export function printSoak({ minutes, routes, growth, start, end, missed }) {
  console.log(`soak: ${minutes} min`);
  for (const [name, { count, errors, median, p99 }] of Object.entries(routes)) {
    console.log(
      `  ${name.padEnd(12)}${cell(count, 8)} answers${cell(errors, 4)} errors   median ${median.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
    );
  }
  console.log(
    `memory in the first minute after warm-up ${range(start)}; in the last ${range(end)}: most growth ${(growth * 100).toFixed(1)} %`,
  );
  console.log(
    `database connections ${start.connections} -> ${end.connections}, handles ${start.handles} -> ${end.handles}`,
  );
  printVerdict(missed);
}

function printVerdict(missed) {
  console.log(missed.length === 0 ? 'all targets met' : `MISSED: ${missed.join('; ')}`);
}

import { availableParallelism } from 'node:os';
import { LATENCY_MS, SYNC_INTERVAL_SECONDS } from './stage.mjs';
import { inSeconds } from './targets.mjs';

const LABEL_WIDTH = 52;
const CELL_WIDTH = 18;

export function printSizes(results) {
  console.log(
    `sync: ${LATENCY_MS} ms latency on both sides, a pass every ${SYNC_INTERVAL_SECONDS} s, ${availableParallelism()} cores, Node ${process.versions.node}`,
  );
  const row = (label, read) =>
    console.log(
      label.padEnd(LABEL_WIDTH) + results.map((result) => String(read(result)).padStart(CELL_WIDTH)).join(''),
    );
  row('mapped products', ({ products }) => products.toLocaleString('en-US'));
  row('limits, times the real ones (app and sandboxes)', ({ factor }) => factor);
  row(
    'first full sync: requests to CWS / G2A',
    ({ firstSync }) => `${firstSync.requests.cws} / ${firstSync.requests.g2a}`,
  );
  row('  time', ({ firstSync }) => seconds(firstSync.seconds));
  row('  time computed for the real limits', ({ firstSync }) => seconds(firstSync.secondsAtRealLimits));
  row('  CPU, program + PostgreSQL', ({ firstSync }) => seconds(firstSync.cpuSeconds));
  row('pass without changes: PATCHes', ({ idle }) => idle.patches);
  row(
    '  requests to CWS / G2A',
    ({ idle: { requestsPerPass: per } }) => `${per.cws.toFixed(1)} / ${per.g2a.toFixed(1)}`,
  );
  row('  time from one to the next', ({ idle }) => seconds(idle.secondsFromPassToPass));
  row('  CPU, program + PostgreSQL', ({ idle: { cpuSecondsPerPass: cpu } }) =>
    cpu === null ? '?' : `${cpu.program.toFixed(2)} + ${cpu.database.toFixed(2)} s`,
  );
  row('memory (RSS) then / at its highest', ({ memory }) =>
    memory === null ? '?' : `${megabytes(memory.idleBytes)} / ${megabytes(memory.peakBytes)} MB`,
  );
  row('change to PATCH, feed working: median / p99', ({ working }) => both(working));
  row('  changes / longest', ({ working }) => `${working.changes} / ${inSeconds(working.maxMs)}`);
  row('change to PATCH, feed lying, hot products', ({ lying }) => both(lying));
  row('  changes / longest', ({ lying }) => `${lying.changes} / ${inSeconds(lying.maxMs)}`);
  row(
    '  hot products / one look at each, at real limits',
    ({ lying }) => `${lying.hot} / ${seconds(lying.hotCycleSecondsAtRealLimits)}`,
  );
  row('  one look at every product, at real limits', ({ lying }) => seconds(lying.cycleSecondsAtRealLimits));
  row('requests over a limit', ({ refused }) => refused);
}

export function printBurst(result) {
  const { products, factor, limits, changedWithinMs, kinds, drain } = result;
  console.log(
    `burst: ${products.toLocaleString('en-US')} products changed within ${changedWithinMs} ms, limits times ${factor} (G2A ${limits.g2a})`,
  );
  for (const [name, { patches, firstSeconds, lastSeconds }] of Object.entries(kinds)) {
    console.log(
      `  ${name.padEnd(12)}${String(patches).padStart(7)} PATCHes, ${seconds(firstSeconds)} to ${seconds(lastSeconds)}`,
    );
  }
  console.log(
    `  last sold-out or loss-making offer at ${seconds(result.lastUrgentSeconds)}, first price cut at ${seconds(result.firstCutSeconds)}; ${result.cutsTooEarly} cuts too early`,
  );
  const share = (value) => (value === null ? '?' : `${(value * 100).toFixed(1)} %`);
  console.log(
    `  drained in ${seconds(drain.seconds)}, computed for the real limits ${seconds(result.secondsAtRealLimits)}; of the permitted rate (${drain.windows} whole windows): ` +
      `PATCHes ${share(drain.patchShare)}, all requests ${share(drain.requestShare)}; ${result.patches} PATCHes, ${result.refused} requests over a limit`,
  );
}

export function printVerdict(missed) {
  console.log(missed.length === 0 ? 'all targets met' : `MISSED: ${missed.join('; ')}`);
}

function both({ medianMs, p99Ms }) {
  return `${inSeconds(medianMs)} / ${inSeconds(p99Ms)}`;
}

function seconds(value) {
  return value === null ? '?' : inSeconds(value * 1000);
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(0);
}

// What a process has cost, from /proc: on Linux only.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

export const IS_MEASURABLE = existsSync('/proc/self/stat');

/** Unit of the times in /proc/PID/stat, the same on every Linux that Node runs on. */
const TICK_MS = 10;
/** Places in /proc/PID/stat after the program's name; the first two are those of the process, the others of its dead children. */
const OWN_TIMES = [11, 12];
const ALL_TIMES = [11, 12, 13, 14];
const PARENT = 1;

/** Processor time of one process so far; 0 when it has ended. */
export function processorMs(pid) {
  return ticks(pid, OWN_TIMES) * TICK_MS;
}

/**
 * Processor time so far of a database server: all backends, those that have ended too, and its own workers.
 * @param backendPid any backend of it.
 */
export function databaseServerMs(backendPid) {
  const server = Number(statOf(backendPid)?.[PARENT]);
  const backends = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && Number(statOf(pid)?.[PARENT]) === server);
  const living = backends.reduce((sum, pid) => sum + ticks(pid, OWN_TIMES), 0);
  return (living + ticks(server, ALL_TIMES)) * TICK_MS;
}

/** Resident memory now and at its highest, in bytes. */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]) * 1024;
  return { nowBytes: read('VmRSS'), peakBytes: read('VmHWM') };
}

function ticks(pid, places) {
  const stat = statOf(pid);
  return stat === null ? 0 : places.reduce((sum, place) => sum + Number(stat[place]), 0);
}

/** Null when it has ended. */
function statOf(pid) {
  try {
    // The second field is the program's name in brackets, which may hold spaces.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  } catch {
    return null;
  }
}

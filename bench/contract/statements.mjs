import { Buffer } from 'node:buffer';
import { openSync, readSync, fstatSync, closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const SAMPLES = 15;
/** Between two samples, so that what a request leaves behind does not count for the next one. */
const PAUSE_MS = 40;
/** Set as the log's prefix: who sent the statement. */
const PREFIX = '<<%a>> ';
const ENTRY = /^<<([^>]*)>> LOG:\s+(?:statement|execute [^:]*): (.*)$/;

/**
 * Runs `work` while the server writes every statement to its log. Only a server's superuser can have it so.
 * @param admin a connected pg.Client.
 */
export async function withStatementLog(admin, work) {
  const reload = async () => {
    await admin.query('SELECT pg_reload_conf()');
    await sleep(300);
  };
  await admin.query(`ALTER SYSTEM SET log_line_prefix = '${PREFIX}'`);
  await admin.query(`ALTER SYSTEM SET log_statement = 'all'`);
  await reload();
  try {
    return await work();
  } finally {
    await admin.query('ALTER SYSTEM RESET log_statement');
    await admin.query('ALTER SYSTEM RESET log_line_prefix');
    await reload();
  }
}

/**
 * The statements that one request sends, as steps for the limit server: the sequence seen most often in several requests,
 * because the program's own background work falls into some of them.
 * @param prepare makes ready what one request needs, and resolves with the function that sends it.
 */
export async function stepsOf(logFile, applicationName, prepare) {
  const seen = new Map();
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const send = await prepare();
    await sleep(PAUSE_MS);
    const before = endOf(logFile);
    await send();
    const steps = readStatements(logFile, before, applicationName).map(toStep);
    const key = JSON.stringify(steps);
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  const [[key]] = [...seen].sort(([a, countA], [b, countB]) => countB - countA || a.length - b.length);
  return JSON.parse(key);
}

function endOf(file) {
  const descriptor = openSync(file, 'r');
  try {
    return fstatSync(descriptor).size;
  } finally {
    closeSync(descriptor);
  }
}

function readStatements(file, from, applicationName) {
  const descriptor = openSync(file, 'r');
  const buffer = Buffer.alloc(fstatSync(descriptor).size - from);
  readSync(descriptor, buffer, 0, buffer.length, from);
  closeSync(descriptor);
  const entries = [];
  for (const line of buffer.toString().split('\n')) {
    const [, application, text] = ENTRY.exec(line) ?? [];
    if (text !== undefined) entries.push({ application, text });
    // Further lines of a statement are indented by a tab.
    else if (line.startsWith('\t') && entries.length > 0) entries.at(-1).text += ` ${line.slice(1)}`;
  }
  return entries.filter(({ application }) => application === applicationName).map(({ text }) => text);
}

function toStep(text) {
  if (/^\s*(BEGIN|START TRANSACTION)/i.test(text)) return { kind: 'begin' };
  if (/^\s*(COMMIT|END)\b/i.test(text)) return { kind: 'commit' };
  const inserts = text.match(/\bINSERT\s+INTO\b/gi)?.length ?? 0;
  const deletes = text.match(/\bDELETE\s+FROM\b/gi)?.length ?? 0;
  // Not the UPDATE of FOR UPDATE, FOR NO KEY UPDATE and ON CONFLICT DO UPDATE.
  const updates = text.match(/(?<!\b(?:FOR|KEY|DO)\s+)\bUPDATE\s+[\w."]/gi)?.length ?? 0;
  if (inserts + updates + deletes > 0) return { kind: 'write', inserts, updates, deletes };
  return { kind: /\bFOR\s+(NO\s+KEY\s+)?UPDATE\b|pg_advisory/i.test(text) ? 'lock' : 'select' };
}

/** Such as "7 (BEGIN, 2 select, lock, 3 write, COMMIT)" in the order of first appearance. */
export function describeSteps(steps) {
  if (steps.length === 0) return 'none';
  const counts = new Map();
  for (const { kind } of steps) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return `${steps.length}: ${[...counts].map(([kind, count]) => (count > 1 ? `${count} ${kind}` : kind)).join(', ')}`;
}

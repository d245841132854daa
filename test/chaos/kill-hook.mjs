// Loaded into the program (node --import): names each step of the purchase protocol as it happens, and kills or freezes the process at
// the one it is told. A step is a commit of our tables or of a job's, or a request to CodesWholesale for an order. Dormant until armed.
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import pg from 'pg';

/** What statements of the protocol write; all others (synchronization, maintenance, leases) are no steps. */
const TABLES = /\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(orders|order_items|purchases|keys)\b/g;
/** Trying the look-ups with purchases that are confirmed happens by the clock, beside the protocol. */
const BESIDE = /purchase_lookups/;
const JOB_NAMES = ['purchase-order', 'poll-purchase'];
/** Nothing was sent or nobody was answered yet; what was sent is in the hands of the operating system; the answer is here, unread. */
const MOMENTS = { before: 'before', sent: 'sent', after: 'after' };

const supplier = new URL(process.env.CWS_API_BASE_URL);
/** How often each step was reached since the arming; null while dormant. */
let counts = null;
let victim = { step: null };

process.on('message', (message) => {
  if (message?.armed === undefined) return;
  counts = new Map();
  victim = message.armed;
  process.send({ isArmed: true });
});
process.channel.unref();

function reach(moment, action) {
  if (counts === null) return;
  const nth = (counts.get(`${moment} ${action}`) ?? 0) + 1;
  counts.set(`${moment} ${action}`, nth);
  const step = `${moment.padEnd(6)} ${action}${nth === 1 ? '' : ` #${nth}`}`;
  // Told first: a frozen process tells nothing.
  process.send({ step });
  if (step === victim.step) process.kill(process.pid, victim.signal);
}

const sendStatement = pg.Client.prototype.query;
/** Per connection what its open transaction has written so far; no entry: none is open. */
const transactions = new WeakMap();

pg.Client.prototype.query = function query(statement, ...rest) {
  const text = typeof statement === 'string' ? statement : (statement?.text ?? '');
  const values = (Array.isArray(rest[0]) ? rest[0] : statement?.values) ?? [];
  const verb = /^\s*(\w+)/.exec(text)?.[1].toUpperCase();
  const written = transactions.get(this);
  // The job engine's maintenance is a whole transaction in one text.
  if (verb === 'BEGIN' && !text.includes('COMMIT')) transactions.set(this, []);
  else if (verb === 'COMMIT' || verb === 'ROLLBACK') transactions.delete(this);
  else written?.push(...writesOf(text, values));

  const send = () => sendStatement.call(this, statement, ...rest);
  if (verb === 'COMMIT' && written !== undefined && written.length > 0) {
    const action = `COMMIT of ${essence(written)}`;
    reach(MOMENTS.before, action);
    return then(send, rest, () => reach(MOMENTS.after, action));
  }
  if (written === undefined && verb !== 'COMMIT') {
    const writes = writesOf(text, values);
    const taken = jobTaken(text, values);
    // Before it is as after the step before it: nothing else is written or sent in between.
    if (writes.length > 0) return then(send, rest, () => reach(MOMENTS.after, `COMMIT of ${writes.join(', ')}`));
    if (taken !== null) return then(send, rest, ({ rows }) => rows.length > 0 && reach(MOMENTS.after, taken));
  }
  return send();

  /** Has `listener` hear of the result before whoever asked does. */
  function then(sendIt, args, listener) {
    const last = args.length - 1;
    if (typeof args[last] !== 'function') {
      return sendIt().then((result) => {
        listener(result);
        return result;
      });
    }
    const callback = args[last];
    args[last] = (error, result) => {
      if (!error) listener(result);
      callback(error, result);
    };
    return sendIt();
  }
};

/** What a statement writes of the protocol: audited actions with the state they lead to, jobs sent and done, else tables. */
function writesOf(text, values) {
  if (BESIDE.test(text)) return [];
  const actions = text.includes('INSERT INTO audit_log') ? auditedActions(values) : [];
  if (actions.length > 0) return actions;
  if (text.includes('.job') && JOB_NAMES.includes(values[1]) && text.includes('INSERT INTO')) {
    return [`job ${values[1]} sent`];
  }
  if (text.includes('.job') && JOB_NAMES.includes(values[0]) && text.includes('completed_on = now()')) {
    return [`job ${values[0]} done`];
  }
  return [...text.matchAll(TABLES)].map(([, table]) => `${table} written`);
}

/** What is audited says more than the tables that it is written to. */
function essence(writes) {
  const isAudited = writes.some((write) => write.includes('.'));
  return [...new Set(writes.filter((write) => !isAudited || !write.endsWith(' written')))].join(', ');
}

/** Two shapes: columns of actions and details, or one JSON list of both. */
function auditedActions(values) {
  const isActions = (value) => Array.isArray(value) && /^\w+\.\w+$/.test(value[0]);
  const at = values.findIndex(isActions);
  const entries =
    at >= 0
      ? values[at].map((action, index) => ({ action, details: JSON.parse(values[at + 2][index]) }))
      : values.filter((value) => typeof value === 'string' && value.startsWith('[{"action"')).flatMap(JSON.parse);
  return entries
    .filter(({ action }) => /^(order|purchase)\./.test(action))
    .map(({ action, details }) => (details.to === undefined ? action : `${action} to ${details.to}`));
}

function jobTaken(text, values) {
  return text.includes('SKIP LOCKED') && JOB_NAMES.includes(values[0]) ? `job ${values[0]} taken` : null;
}

const sendRequest = http.request;

http.request = function request(...args) {
  const outgoing = sendRequest.apply(this, args);
  const action = supplierAction(outgoing);
  if (action === null) return outgoing;
  // Nothing has left: the head goes out with the first write or the end.
  reach(MOMENTS.before, action);
  outgoing.once('finish', () => reach(MOMENTS.sent, action));
  outgoing.once('response', (answer) => answer.once('end', () => reach(MOMENTS.after, action)));
  return outgoing;
};
syncBuiltinESMExports();

/** A request to CodesWholesale about orders, codes, products or a token, its ids left out; null for any other. */
function supplierAction(outgoing) {
  const { method, path } = outgoing;
  // G2A's has a token route of the same path.
  if (outgoing.getHeader('host') !== supplier.host) return null;
  if (!/^\/(?:v3\/(?:orders|codes|products)|oauth\/token)/.test(path)) return null;
  if (path.includes('startFrom=')) return `${method} /v3/orders (history)`;
  // The token's may have secrets in it.
  if (path.includes('?')) return `${method} ${path.split('?', 1)[0]}`;
  return `${method} ${path.replace(/[^/]{36,}$/, (id) => (id.startsWith('KF-') ? '{our id}' : '{id}'))}`;
}

import { createHash } from 'node:crypto';
import pg from 'pg';

/** Most statements that a connection keeps: several times the program's own, so that lists of changing length cannot fill the server's memory. */
const MAX_STATEMENTS = 300;

const names = new Map<string, string>();

/**
 * The name under which connections keep this statement. PostgreSQL then parses it once per connection and, where parameters do
 * not matter to the plan, plans it once: for the joins behind a reservation that costs more than running them.
 * @returns undefined when MAX_STATEMENTS others are kept already: the statement is sent without a name.
 */
export function statementName(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= MAX_STATEMENTS) return known;
  const name = `kf_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
  names.set(text, name);
  return name;
}

/**
 * A connection that prepares every statement with parameters; TypeORM itself has no way to name one. For a pool's option
 * `Client`. Needs connections of its own: a pooler that hands out another server connection per transaction must know prepared
 * statements (PgBouncer 1.21 and later).
 */
export class PreparingClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    const send = this.query.bind(this) as (...sent: unknown[]) => unknown;
    const gather = gatherWrites(this);
    const prepareAndSend = (statement: unknown, values?: unknown, ...rest: unknown[]): unknown => {
      gather();
      if (typeof statement !== 'string' || !Array.isArray(values) || values.length === 0) {
        return send(statement, values, ...rest);
      }
      return send({ name: statementName(statement), text: statement, values }, ...rest);
    };
    this.query = prepareAndSend as typeof this.query;
  }
}

/**
 * Statements that are sent in one go leave in one write to the socket: on the same machine a write wakes PostgreSQL within the
 * call and costs more than building the statement.
 * @returns to be called before each statement.
 */
function gatherWrites(client: pg.Client): () => void {
  let isGathering = false;
  return () => {
    if (isGathering) return;
    isGathering = true;
    // TLS replaces it while the connection is made: the one that was held back must be let go.
    const { stream } = client.connection;
    stream.cork();
    setImmediate(() => {
      isGathering = false;
      stream.uncork();
    });
  };
}

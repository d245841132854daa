import { HttpFault } from './http-fault.js';

/** A deviation from the well-behaved default, as the control API takes it. */
export interface Behavior<Name extends string> {
  name: Name;
  /** CWS product id, G2A offer id, or G2A product id of a simulation that it is limited to. Default: everything. */
  subject?: string;
  /** Route it is limited to, as the counters name it, e.g. `POST /v3/orders`. Default: every route but the token's. */
  route?: string;
  /** It does not happen before so many requests have come to that route, which need not be its own. Default: at once. */
  after?: { route: string; requests: number };
  /** How many more times it happens. Default: until cleared. */
  times?: number;
  /** For behaviors that last; what it means and its default stand in the README's table. */
  seconds?: number;
  /** For `answersSlowly`. */
  milliseconds?: number;
  /** For lost answers: true keeps the connection open without ever answering, false (default) resets it. */
  hangs?: boolean;
}

export interface Occasion {
  subjects?: readonly string[];
  route?: string;
}

/** The one table of behaviors of a server. Each name is asked for at exactly one place in the code. */
export class BehaviorTable<Name extends string> {
  private rows: Behavior<Name>[] = [];

  /** @param requestsTo how many requests a route has had, the one at hand included. */
  constructor(
    readonly names: readonly Name[],
    private readonly requestsTo: (route: string) => number,
  ) {}

  /** Adds a behavior. Throws a 400 fault for an unknown name. */
  set(behavior: Behavior<Name>): void {
    if (!this.names.includes(behavior.name)) {
      throw new HttpFault(400, 'unknown_behavior', `No behavior "${behavior.name}". Known: ${this.names.join(', ')}.`);
    }
    this.rows.push({ ...behavior });
  }

  /** Removes all behaviors, or those of one name and/or subject. */
  clear(which: { name?: string; subject?: string } = {}): void {
    this.rows = this.rows.filter(
      (row) =>
        (which.name !== undefined && row.name !== which.name) ||
        (which.subject !== undefined && row.subject !== which.subject),
    );
  }

  list(): readonly Behavior<Name>[] {
    return this.rows;
  }

  /**
   * The behavior that applies now, used up by one; undefined in the normal case. One that names the subject goes before one
   * for everything. Without `route` in the occasion, behaviors limited to a route do not apply.
   */
  take(name: Name, occasion: Occasion = {}): Behavior<Name> | undefined {
    const matching = this.rows.filter(
      (row) =>
        row.name === name &&
        (row.route === undefined || row.route === occasion.route) &&
        (row.after === undefined || this.requestsTo(row.after.route) > row.after.requests) &&
        (row.subject === undefined || (occasion.subjects ?? []).includes(row.subject)),
    );
    const row = matching.find((candidate) => candidate.subject !== undefined) ?? matching[0];
    if (row?.times !== undefined) {
      row.times -= 1;
      if (row.times <= 0) this.rows = this.rows.filter((other) => other !== row);
    }
    return row;
  }
}

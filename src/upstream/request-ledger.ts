/** A lease that its holder takes nothing from any more. */
export interface FinishedLease {
  readonly id: number;
  /** Requests taken from it; the rest was surely never sent. */
  readonly used: number;
}

/** What is asked of a ledger. */
export interface LeaseQuestion {
  /** Requests wanted; 0: only gives back. */
  readonly wanted: number;
  /** How many may count in a window, those of the new lease among them. */
  readonly limit: number;
  /** The lease will be used at most so long after this question was sent. */
  readonly lifeMs: number;
  /** Requests count so long after their lease could last be used. */
  readonly countsForMs: number;
  readonly finished: readonly FinishedLease[];
}

/** A lease; or none, and the milliseconds after which there may be one. */
export type LeaseAnswer = { readonly id: number; readonly requests: number } | { readonly waitMs: number };

/**
 * Counts the requests of everybody who shares a limit. A lease counts in full until `countsForMs` after it could last be
 * used, or from its end on with what was used. So in any window no more is sent than the limit: when the last lease that
 * reaches into the window was given, all the others that do were counted.
 */
export interface RequestLedger {
  lease(question: LeaseQuestion): Promise<LeaseAnswer>;
  /** Gives no lease for so many seconds. A pause is never shortened. */
  pause(seconds: number): Promise<void>;
}

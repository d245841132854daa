import {
  type AcquireOptions,
  MAX_PAUSE_SECONDS,
  noRoom,
  type RequestBudget,
  type RequestRate,
  usedUp,
} from './request-budget.js';
import { type LeaseTerms, leaseTerms, nextLeaseSize } from './request-lease.rules.js';
import type { FinishedLease, RequestLedger } from './request-ledger.js';
import { RequestPace } from './request-pace.rules.js';
import { REQUEST_PRIORITIES, requestsWithin } from './request-priority.rules.js';
import type { UpstreamError, UpstreamSystem } from './upstream-error.js';

interface HeldLease {
  readonly id: number;
  /** Of this priority's share: lower ones may not take from it. */
  readonly rank: number;
  readonly granted: number;
  used: number;
  /** By this process' clock, counted from before the question: the ledger counts from the answer, never earlier. */
  readonly usableUntil: number;
}

interface Waiter {
  readonly rank: number;
  /** Not to be admitted by waiting beyond this time. */
  readonly deadline: number;
  /** No answer came at all. */
  readonly givesUpAt: number;
  readonly admit: () => void;
  readonly refuse: (error: UpstreamError) => void;
}

/** What the ledger said last about a priority that there was no room for. */
interface Refusal {
  /** When there may be room. */
  readonly until: number;
  /** When to ask again: others may have given room back. */
  readonly holdsUntil: number;
}

/** The ledger is given at least so long to answer, also when no wait for room is accepted. */
const ANSWER_PATIENCE_MS = 2_000;
const RECHECK_MS = 1_000;
/** When the ledger did not answer: reason of the error, and its retry-after. */
const UNANSWERED = 'the ledger of requests does not answer';
const UNANSWERED_WAIT_MS = 1_000;
/** What is spread is leased for so long at its pace. */
const PACED_LEASE_MS = 300;
/** Timers of Node cannot be longer than 24 days. */
const LONGEST_TIMER_MS = 60_000;

/**
 * A limit that several processes share through a ledger. Takes leases of a few requests and lets requests through from memory:
 * higher priorities first, then in the order of arrival. Without the ledger nothing is let through.
 */
export class SharedRequestBudget implements RequestBudget {
  readonly #terms: LeaseTerms;
  /** By rank; of this process: one replica publishes. */
  readonly #paces: readonly (RequestPace | undefined)[];
  readonly #sizes: number[] = REQUEST_PRIORITIES.map(() => 1);
  readonly #refusals: (Refusal | undefined)[] = [];
  readonly #waiters: Waiter[] = [];
  #leases: HeldLease[] = [];
  #finished: FinishedLease[] = [];
  #pausedUntil = -Infinity;
  #isAsking = false;
  #isAdvancing = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param name of the limit, for errors. */
  constructor(
    private readonly system: UpstreamSystem,
    private readonly name: string,
    private readonly rate: RequestRate,
    private readonly ledger: RequestLedger,
  ) {
    this.#terms = leaseTerms(rate);
    this.#paces = REQUEST_PRIORITIES.map((priority) => RequestPace.of(priority, rate, this.#terms.countsForMs));
  }

  acquire({ priority = 'normal', maxWaitMs = Infinity }: AcquireOptions = {}): Promise<void> {
    const rank = REQUEST_PRIORITIES.indexOf(priority);
    const now = performance.now();
    const position = this.#waiters.findIndex((waiter) => waiter.rank > rank);
    const isFirst = position === 0 || this.#waiters.length === 0;
    if (isFirst && this.#take(rank, now)) return Promise.resolve();
    return new Promise((admit, refuse) => {
      const waiter: Waiter = {
        rank,
        deadline: now + maxWaitMs,
        givesUpAt: now + Math.max(maxWaitMs, ANSWER_PATIENCE_MS),
        admit,
        refuse,
      };
      this.#waiters.splice(position < 0 ? this.#waiters.length : position, 0, waiter);
      this.#advanceSoon();
    });
  }

  pauseFor(seconds: number): void {
    const bounded = Math.min(seconds, MAX_PAUSE_SECONDS);
    this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + bounded * 1000);
    // If it cannot be written, this process pauses alone: the others will be told by the upstream.
    this.ledger.pause(bounded).catch(() => undefined);
    this.#advance();
  }

  /** Forgets its leases: they go on counting in full until their time. */
  close(): void {
    clearTimeout(this.#timer);
    this.#leases = [];
  }

  /** One step and one question for all that come in the same turn. */
  #advanceSoon(): void {
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    queueMicrotask(() => {
      this.#isAdvancing = false;
      this.#advance();
    });
  }

  /** Does whatever can be done now, and comes back when there will be more to do. */
  #advance(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    this.#finishLeases(now);
    while (this.#waiters[0] !== undefined && this.#take(this.#waiters[0].rank, now)) this.#waiters.shift()?.admit();
    this.#refuseImpatient(now);
    if (!this.#isAsking && this.#hasReasonToAsk(now)) void this.#ask(now);
    const next = this.#nextTime();
    if (next === Infinity) return;
    const delayMs = Math.min(Math.max(Math.ceil(next - now), 1), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#advance();
    }, delayMs);
  }

  /** Takes from the lease that the fewest others may take from last. */
  #take(rank: number, now: number): boolean {
    if (now < Math.max(this.#pausedUntil, this.#pacedUntil(rank))) return false;
    let best: HeldLease | undefined;
    for (const lease of this.#leases) {
      const isUsable = lease.rank >= rank && lease.used < lease.granted && now < lease.usableUntil;
      if (isUsable && lease.rank >= (best?.rank ?? 0)) best = lease;
    }
    if (best === undefined) return false;
    best.used += 1;
    this.#paces[rank]?.take(now);
    return true;
  }

  #pacedUntil(rank: number): number {
    return this.#paces[rank]?.readyAt ?? -Infinity;
  }

  #finishLeases(now: number): void {
    const isFinished = (lease: HeldLease): boolean => lease.used >= lease.granted || now >= lease.usableUntil;
    for (const lease of this.#leases.filter(isFinished)) {
      this.#finished.push({ id: lease.id, used: lease.used });
      this.#sizes[lease.rank] = nextLeaseSize(lease, this.#terms.largest);
    }
    this.#leases = this.#leases.filter((lease) => !isFinished(lease));
  }

  #refuseImpatient(now: number): void {
    for (const waiter of [...this.#waiters]) {
      const roomAt = this.#foreseenRoom(waiter.rank, now);
      if (roomAt <= waiter.deadline && now < waiter.givesUpAt) continue;
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      waiter.refuse(
        roomAt > now
          ? noRoom(this.system, this.name, usedUp(this.rate), roomAt - now)
          : noRoom(this.system, this.name, UNANSWERED, UNANSWERED_WAIT_MS),
      );
    }
  }

  /** When there may be room for one of this rank, as far as is known; in the past: ask. */
  #foreseenRoom(rank: number, now: number): number {
    const refusal = this.#refusals[rank];
    const refusedUntil = refusal !== undefined && now < refusal.holdsUntil ? refusal.until : -Infinity;
    return Math.max(this.#pausedUntil, this.#pacedUntil(rank), refusedUntil);
  }

  #hasReasonToAsk(now: number): boolean {
    const [first] = this.#waiters;
    if (first !== undefined) return this.#mayAskAt(first.rank) <= now;
    return this.#finished.length > 0;
  }

  #mayAskAt(rank: number): number {
    return Math.max(this.#pausedUntil, this.#pacedUntil(rank), this.#refusals[rank]?.holdsUntil ?? -Infinity);
  }

  #nextTime(): number {
    const [first] = this.#waiters;
    let next = first === undefined || this.#isAsking ? Infinity : this.#mayAskAt(first.rank);
    for (const lease of this.#leases) next = Math.min(next, lease.usableUntil);
    for (const waiter of this.#waiters) next = Math.min(next, waiter.givesUpAt);
    return next;
  }

  async #ask(now: number): Promise<void> {
    this.#isAsking = true;
    const finished = this.#finished;
    this.#finished = [];
    const rank = this.#waiters[0]?.rank ?? null;
    try {
      await this.#askFor(rank, now, finished);
    } catch {
      // What was finished counts in full until its time. The database's own failures are reported by those who need it most.
      this.#refuseAll();
    } finally {
      this.#isAsking = false;
      this.#advance();
    }
  }

  async #askFor(rank: number | null, now: number, finished: readonly FinishedLease[]): Promise<void> {
    const { lifeMs, countsForMs, largest } = this.#terms;
    const priority = REQUEST_PRIORITIES[rank ?? 0];
    if (priority === undefined) throw new RangeError(`there is no priority ${rank}`);
    const limit = requestsWithin(priority, this.rate.requests);
    if (rank === null) {
      await this.ledger.lease({ wanted: 0, limit, lifeMs, countsForMs, finished });
      return;
    }
    const waiting = this.#waiters.filter((waiter) => waiter.rank === rank).length;
    // A lease counts from its end on: one that is used up slowly would count longer than need be.
    const pace = this.#paces[rank];
    const mostWanted = pace === undefined ? largest : Math.min(largest, Math.ceil(PACED_LEASE_MS / pace.gapMs));
    const wanted = Math.min(mostWanted, Math.max(waiting, this.#sizes[rank] ?? 1));
    const answer = await this.ledger.lease({ wanted, limit, lifeMs, countsForMs, finished });
    if ('id' in answer) {
      this.#leases.push({ id: answer.id, rank, granted: answer.requests, used: 0, usableUntil: now + lifeMs });
      return;
    }
    const answeredAt = performance.now();
    pace?.forgetRest(answeredAt);
    const until = answeredAt + answer.waitMs;
    const refusal = { until, holdsUntil: Math.min(until, answeredAt + RECHECK_MS) };
    // Who leaves more to others has no room either.
    for (let lower = rank; lower < REQUEST_PRIORITIES.length; lower += 1) this.#refusals[lower] = refusal;
  }

  #refuseAll(): void {
    for (const waiter of this.#waiters.splice(0)) {
      waiter.refuse(noRoom(this.system, this.name, UNANSWERED, UNANSWERED_WAIT_MS));
    }
  }
}

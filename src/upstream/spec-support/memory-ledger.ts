import type { LeaseAnswer, LeaseQuestion, RequestLedger } from '../request-ledger.js';

/** The rule of request-leases.queries.ts in memory, by the process' clock, with a way there and back. */
export class MemoryLedger implements RequestLedger {
  isReachable = true;
  #leases: { id: number; requests: number; countsUntil: number }[] = [];
  #nextId = 1;
  #pausedUntil = -Infinity;

  /** @param wayMs how long the next message is under way. */
  constructor(private readonly wayMs: () => number = () => 1) {}

  async lease({ wanted, limit, lifeMs, countsForMs, finished }: LeaseQuestion): Promise<LeaseAnswer> {
    await this.#travel();
    const now = performance.now();
    for (const { id, used } of finished) {
      const lease = this.#leases.find((other) => other.id === id);
      if (lease === undefined) continue;
      lease.requests = used;
      lease.countsUntil = Math.min(lease.countsUntil, used > 0 ? now + countsForMs : now);
    }
    this.#leases = this.#leases.filter((lease) => lease.countsUntil > now);
    let used = this.#leases.reduce((sum, lease) => sum + lease.requests, 0);
    const requests = now < this.#pausedUntil ? 0 : Math.max(0, Math.min(wanted, limit - used));
    if (requests > 0) {
      const id = this.#nextId++;
      this.#leases.push({ id, requests, countsUntil: now + lifeMs + countsForMs });
      await this.#travel();
      return { id, requests };
    }
    let freeAt = now;
    for (const lease of this.#leases.toSorted((one, other) => one.countsUntil - other.countsUntil)) {
      if (used < limit) break;
      used -= lease.requests;
      freeAt = lease.countsUntil;
    }
    await this.#travel();
    return { waitMs: Math.max(freeAt, this.#pausedUntil, now) - now };
  }

  async pause(seconds: number): Promise<void> {
    await this.#travel();
    this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + seconds * 1000);
  }

  async #travel(): Promise<void> {
    if (!this.isReachable) throw new Error('the ledger is out of reach');
    const wayMs = this.wayMs();
    // Not that of timers/promises: Jest's clock does not move it.
    if (wayMs > 0) await new Promise((resolve) => setTimeout(resolve, wayMs));
  }
}

/** At most `requests` in any stretch of `perSeconds`. */
export interface RateLimit {
  requests: number;
  perSeconds: number;
}

/** Reads `400/600s`. Throws on anything else. */
export function parseRateLimit(text: string): RateLimit {
  const match = /^(\d+)\/(\d+)s$/.exec(text);
  if (!match) throw new Error(`"${text}" is not a rate such as 400/600s.`);
  return { requests: Number(match[1]), perSeconds: Number(match[2]) };
}

/** A sliding window. Refused requests do not count. */
export class SlidingWindow {
  /** Times of accepted requests in a ring: windows of 60,000 are looked at a thousand times a second. */
  private readonly acceptedAtMs: number[] = [];
  private oldest = 0;

  constructor(private readonly limit: RateLimit) {}

  /** 0 when the request is accepted, otherwise the whole seconds after which the next one will be. */
  take(nowMs: number): number {
    if (this.acceptedAtMs.length < this.limit.requests) {
      this.acceptedAtMs.push(nowMs);
      return 0;
    }
    const leavesAtMs = (this.acceptedAtMs[this.oldest] ?? nowMs) + this.limit.perSeconds * 1000;
    if (leavesAtMs > nowMs) return Math.max(1, Math.ceil((leavesAtMs - nowMs) / 1000));
    this.acceptedAtMs[this.oldest] = nowMs;
    this.oldest = (this.oldest + 1) % this.limit.requests;
    return 0;
  }
}

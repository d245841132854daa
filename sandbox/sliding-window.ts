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
  private accepted: number[] = [];

  constructor(private readonly limit: RateLimit) {}

  /** 0 when the request is accepted, otherwise the whole seconds after which the next one will be. */
  take(nowMs: number): number {
    const windowMs = this.limit.perSeconds * 1000;
    const firstInside = this.accepted.findIndex((at) => at > nowMs - windowMs);
    this.accepted = firstInside === -1 ? [] : this.accepted.slice(firstInside);
    const oldest = this.accepted[0];
    if (this.accepted.length < this.limit.requests) {
      this.accepted.push(nowMs);
      return 0;
    }
    return Math.max(1, Math.ceil(((oldest ?? nowMs) + windowMs - nowMs) / 1000));
  }
}

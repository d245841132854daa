import type { AlertKind, AlertsService } from '../alerts/alerts.service.js';
import { UpstreamError } from '../upstream/upstream-error.js';

/** What the steps of synchronization have learned about one of the others. */
export class Reachability {
  /** The last failure of each step. */
  private readonly failures = new Map<string, UpstreamError>();

  constructor(
    private readonly kind: AlertKind,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * Does a step's work and alerts to what it meets: trouble with the other side is noted, not thrown.
   * @param work returns whether the other side was asked anything.
   */
  async during(step: string, work: () => Promise<boolean>): Promise<void> {
    const failure = await upstreamFailure(work);
    if (failure instanceof UpstreamError) this.failures.set(step, failure);
    else this.failures.delete(step);
    const [first] = this.failures.values();
    if (first !== undefined) await this.alerts.raise(this.kind, '', first.message);
    else if (failure === 'none') await this.alerts.clear(this.kind);
  }
}

async function upstreamFailure(work: () => Promise<boolean>): Promise<UpstreamError | 'none' | 'not_asked'> {
  try {
    return (await work()) ? 'none' : 'not_asked';
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    // No room in the request budget is no trouble: the next turn goes on.
    return error.kind === 'retry_after' ? 'not_asked' : error;
  }
}

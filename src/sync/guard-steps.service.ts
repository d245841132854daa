import { Injectable, Logger } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import { ControlService, type PauseReason } from '../control/control.service.js';
import { LeadershipService } from './leadership.service.js';
import { OneAtATime } from './one-at-a-time.js';

/** A step of synchronization: never twice at once, only where this replica leads, and never rejecting. */
export type SyncStep = () => Promise<void>;

/** Whether selling is paused now, and why; undefined: the step is not to be done, or gone on with. */
export type PauseNow = () => Promise<PauseReason | undefined>;

/** What all steps of synchronization have in common. */
@Injectable()
export class GuardStepsService {
  private readonly logger = new Logger(GuardStepsService.name);
  /** Steps whose `sync_failed` may be open: at first all, from before a restart. */
  private readonly maybeAlerted = new Set<string>();

  constructor(
    private readonly control: ControlService,
    private readonly alerts: AlertsService,
    private readonly leadership: LeadershipService,
  ) {}

  /**
   * Makes a step of `work`. A call while it is being done waits for another run, for that may have begun too early.
   * @param name the subject of its `sync_failed`.
   * @param when `always`: also during a pause that switches the offers off.
   */
  step(name: string, when: 'always' | 'unless_paused', work: (pause: PauseNow) => Promise<void>): SyncStep {
    this.maybeAlerted.add(name);
    const pause: PauseNow = async () => {
      if (!this.leadership.isLeader()) return undefined;
      const reason = await this.control.pauseReason();
      const isLeftAlone = when === 'unless_paused' || !this.control.deactivatesOffersWhilePaused;
      return reason !== null && isLeftAlone ? undefined : reason;
    };
    const turns = new OneAtATime(async () => {
      try {
        if ((await pause()) === undefined) return;
        await work(pause);
        if (this.maybeAlerted.delete(name)) await this.alerts.clear('sync_failed', name);
      } catch (error) {
        await this.reportFailure(name, error);
      }
    });
    return () => turns.run();
  }

  /** Trouble in one step does not stop the others; the next turn tries again. */
  private async reportFailure(name: string, error: unknown): Promise<void> {
    this.maybeAlerted.add(name);
    this.logger.error(`${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    try {
      await this.alerts.raise('sync_failed', name, error instanceof Error ? error.message : String(error));
    } catch {
      // The database is what failed: the line above is all that can be said.
    }
  }
}

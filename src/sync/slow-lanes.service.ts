import { Injectable, Logger } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import { AppConfig } from '../config/app-config.js';
import { type LaneName, slowAfterMs } from './lanes.rules.js';

/** Tells of lanes of synchronization that take too long. */
@Injectable()
export class SlowLanesService {
  private readonly logger = new Logger(SlowLanesService.name);
  /** Lanes known not to be alerted about; of the others the alert may be open, also from before a restart. */
  private readonly quiet = new Set<LaneName>();

  constructor(
    private readonly alerts: AlertsService,
    private readonly config: AppConfig,
  ) {}

  /** A lane's turn has come while it is still running: alerts when that takes too long. */
  async stillRuns(lane: LaneName, runningForMs: number): Promise<void> {
    if (runningForMs < slowAfterMs(lane, this.config.syncIntervalSeconds)) return;
    this.quiet.delete(lane);
    const seconds = Math.round(runningForMs / 1000);
    await this.tell(() =>
      this.alerts.raise('sync_slow', lane, `the lane "${lane}" has been running for ${seconds} s, so it is late`),
    );
  }

  async isOver(lane: LaneName): Promise<void> {
    if (this.quiet.has(lane)) return;
    this.quiet.add(lane);
    await this.tell(() => this.alerts.clear('sync_slow', lane));
  }

  private async tell(say: () => Promise<void>): Promise<void> {
    try {
      await say();
    } catch (error) {
      this.logger.warn(`alert not written: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

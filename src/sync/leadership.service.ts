import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { giveUpLead, takeLead } from './sync-leadership.queries.js';

/** A leader that says nothing for so long is followed by another replica: with STANDBY_MS within 10 s. */
const LEASE_MS = 6000;
/** Renewed when so much of it has passed: two renewals may fail. */
const RENEW_AFTER_MS = 2000;

/**
 * Which replica synchronizes: the holder of a lease in the database, which works behind any pooler. The leader counts its lease
 * from before it asked for it, by its own monotonic clock, so it always believes in it for shorter than the database does, even
 * when it was frozen meanwhile.
 */
@Injectable()
export class LeadershipService {
  private readonly logger = new Logger(LeadershipService.name);
  /** Drawn at each start: a process that comes back is another one. */
  private readonly self = randomUUID();
  private leadsUntilMs = -Infinity;
  private isOver = false;
  private campaigning: Promise<void> | null = null;
  /** The last question was not answered: said once, not every second. */
  private isUnknown = false;

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** Whether this process may write to G2A now. To be looked at before each such request. */
  isLeader(): boolean {
    return !this.isOver && performance.now() < this.leadsUntilMs;
  }

  /** Takes the lead if it is free, or renews it when that is due. Never rejects: without the database nobody leads. */
  campaign(): Promise<void> {
    this.campaigning ??= this.askForLead().finally(() => {
      this.campaigning = null;
    });
    return this.campaigning;
  }

  /** From now on this process does not lead any more; the others do not know that yet. */
  stepDown(): void {
    this.isOver = true;
  }

  /** Lets another replica lead at once. Only after stepDown, and when nothing of ours can reach G2A any more. */
  async handOver(): Promise<void> {
    await this.campaigning;
    try {
      await giveUpLead(this.dataSource.manager, this.self);
    } catch {
      // It runs out by itself.
    }
  }

  private async askForLead(): Promise<void> {
    const askedAtMs = performance.now();
    if (this.isOver || askedAtMs < this.leadsUntilMs - LEASE_MS + RENEW_AFTER_MS) return;
    const wasLeader = this.isLeader();
    try {
      const isGranted = await takeLead(this.dataSource.manager, this.self, LEASE_MS / 1000);
      this.isUnknown = false;
      this.leadsUntilMs = isGranted ? askedAtMs + LEASE_MS : -Infinity;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.isUnknown) this.logger.warn(`who synchronizes is not known: ${reason}`);
      this.isUnknown = true;
    }
    if (!wasLeader && this.isLeader()) this.logger.log('this replica synchronizes from now on');
  }
}

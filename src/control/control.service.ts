import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { type AuditActor, writeAudit } from '../audit/audit-log.js';
import { AppConfig } from '../config/app-config.js';
import { ControlState } from './control-state.entity.js';

/** Why nothing new is sold at the moment, or null. */
export type PauseReason = 'service_disabled' | 'paused' | null;

/** The owner's switch: pausing stops selling; orders already paid go on. */
@Injectable()
export class ControlService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
  ) {}

  async state(): Promise<ControlState> {
    return this.dataSource.manager.findOneByOrFail(ControlState, { id: 1 });
  }

  /** Whether a pause switches the offers off, or only stops following the supplier. */
  get deactivatesOffersWhilePaused(): boolean {
    return this.config.pauseDeactivatesOffers;
  }

  /** `SERVICE_ENABLED=false` outranks the switch in the database. */
  async pauseReason(): Promise<PauseReason> {
    if (!this.config.isServiceEnabled) return 'service_disabled';
    return (await this.state()).isPaused ? 'paused' : null;
  }

  /**
   * Pausing again changes nothing but the reason, where one is given.
   * @param reason shown to people, at most 500 characters.
   */
  async pause(actor: AuditActor, reason: string | null): Promise<ControlState> {
    return this.set(actor, true, reason);
  }

  async resume(actor: AuditActor): Promise<ControlState> {
    return this.set(actor, false, null);
  }

  private async set(actor: AuditActor, isPaused: boolean, reason: string | null): Promise<ControlState> {
    await inTransaction(this.dataSource, async (manager) => {
      const result = await manager.query<[unknown[], number]>(
        `UPDATE control_state SET is_paused = $1, reason = left($2::text, 500),
           changed_by = CASE WHEN is_paused = $1 THEN changed_by ELSE $3 END,
           changed_at = CASE WHEN is_paused = $1 THEN changed_at ELSE now() END
         WHERE id = 1 AND (is_paused <> $1 OR $2::text IS NOT NULL AND reason IS DISTINCT FROM left($2::text, 500))`,
        [isPaused, reason, actor],
      );
      if (result[1] === 0) return;
      await writeAudit(manager, actor, [
        isPaused
          ? { action: 'control.paused', subjectId: 'installation', details: { reason } }
          : { action: 'control.resumed', subjectId: 'installation', details: {} },
      ]);
    });
    return this.state();
  }
}

import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { Alert } from './alert.entity.js';
import { openAlerts } from './alerts.queries.js';

/** What can be wrong. Stable names: people filter by them. */
export type AlertKind =
  | 'order_needs_attention'
  | 'balance_too_low'
  | 'balance_unknown'
  | 'low_balance'
  | 'purchase_duplicated'
  | 'supplier_orders_unmatched'
  | 'purchase_lookup_missed'
  | 'preorder_code'
  | 'code_sold_twice'
  | 'code_unreadable'
  | 'spare_keys'
  | 'offer_missing'
  | 'offer_ambiguous'
  | 'offer_unreadable'
  | 'offer_failing'
  | 'offer_deactivated_by_g2a'
  | 'offer_switched_off_at_g2a'
  | 'offer_not_created'
  | 'listing_late'
  | 'supplier_product_unreadable'
  | 'supplier_price_unconfirmed'
  | 'feed_unreliable'
  | 'feed_late'
  | 'clock_skew'
  | 'exchange_rate_missing'
  | 'real_fee_higher'
  | 'simulation_failing'
  | 'sync_failed'
  | 'sync_slow'
  | 'cws_unreachable'
  | 'g2a_unreachable';

/** Tells a person: an open row in `alerts` and one log line. */
@Injectable()
export class AlertsService {
  private readonly logger = new Logger(AlertsService.name);

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * Opens an alert, or counts up the open one of the same kind and subject.
   * @param subject what it is about (an id of at most 64 characters), '' for the whole installation.
   * @param manager of a transaction that the alert belongs to.
   */
  async raise(
    kind: AlertKind,
    subject: string,
    message: string,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<void> {
    const rows = await manager.query<{ raised_count: number }[]>(
      `INSERT INTO alerts (kind, subject, message) VALUES ($1, $2, left($3, 1000))
       ON CONFLICT (kind, subject) WHERE cleared_at IS NULL
       DO UPDATE SET raised_count = alerts.raised_count + 1, last_raised_at = now(), message = excluded.message
       RETURNING raised_count`,
      [kind, subject, message],
    );
    // Once per opening: a condition that lasts must not fill the log.
    if (rows[0]?.raised_count === 1)
      this.logger.warn(`alert ${kind}${subject === '' ? '' : ` [${subject}]`}: ${message}`);
  }

  /** Closes the open alerts of this kind about these subjects, if there are any. */
  async clear(kind: AlertKind, ...subjects: readonly string[]): Promise<void> {
    await this.clearWithin(this.dataSource.manager, kind, ...subjects);
  }

  /** The same in a transaction that it belongs to. */
  async clearWithin(manager: EntityManager, kind: AlertKind, ...subjects: readonly string[]): Promise<void> {
    await this.close(kind, 'subject = ANY ($2)', subjects.length === 0 ? [''] : subjects, manager);
  }

  /** Closes the open alerts of this kind about anything but these subjects: after a look at all there is. */
  async clearAllBut(kind: AlertKind, subjects: readonly string[]): Promise<void> {
    await this.close(kind, 'subject <> ALL ($2)', subjects);
  }

  /** Closes the open alerts of this kind that were last raised before this time (of the database): nothing has found them since. */
  async clearRaisedBefore(kind: AlertKind, time: Date): Promise<void> {
    await this.close(kind, 'last_raised_at < $2', time);
  }

  private async close(
    kind: AlertKind,
    condition: string,
    value: readonly string[] | Date,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<void> {
    const [rows] = await manager.query<[{ subject: string }[], number]>(
      `UPDATE alerts SET cleared_at = now() WHERE kind = $1 AND cleared_at IS NULL AND ${condition} RETURNING subject`,
      [kind, value],
    );
    for (const { subject } of rows) this.logger.log(`alert ${kind}${subject === '' ? '' : ` [${subject}]`} cleared`);
  }

  /** Open alerts, oldest first. */
  async open(): Promise<Alert[]> {
    return openAlerts(this.dataSource.manager);
  }
}

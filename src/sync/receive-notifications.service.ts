import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { inTransaction } from '../database/one-connection.js';
import { AlertsService } from '../alerts/alerts.service.js';
import { isUuid } from '../upstream/wire.js';
import { insertNotification } from './notifications.queries.js';
import { OfferDeactivationsService, withReason } from './offer-deactivations.service.js';

const MAX_MESSAGE_LENGTH = 1000;

/** G2A has switched an offer of ours off. */
export interface DeactivationNotification {
  readonly type: 'auction_deactivated';
  readonly occurredAt: Date | null;
  /** Of G2A's own; no listing tells which offer it belongs to. */
  readonly auctionId: number | null;
  readonly offerId: string | null;
  readonly message: string | null;
}

/** Something that we do not act on. */
export interface OtherNotification {
  readonly type: 'other';
  /** G2A's name of the type, at most 64 characters. */
  readonly name: string;
  readonly occurredAt: Date | null;
  /** JSON of the whole notification, without secrets. */
  readonly payload: string;
}

/** What G2A tells us without being asked. At least one of a deactivation's ids is given. */
export type Notification = DeactivationNotification | OtherNotification;

/** Keeps what G2A tells us, and acts on it. */
@Injectable()
export class ReceiveNotificationsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly alerts: AlertsService,
    private readonly deactivations: OfferDeactivationsService,
  ) {}

  /**
   * Each is stored and acted on in a transaction of its own, and once: a repeat of the call goes on where the first one broke
   * off. (One transaction over several offers could deadlock with the listing that is being stored.)
   */
  async receive(notifications: readonly Notification[]): Promise<void> {
    for (const notification of notifications) {
      await inTransaction(this.dataSource, (manager) => this.receiveOne(manager, notification));
    }
  }

  private async receiveOne(manager: EntityManager, notification: Notification): Promise<void> {
    const contentHash = createHash('sha256').update(JSON.stringify(notification)).digest();
    const { occurredAt } = notification;
    if (notification.type === 'other') {
      const { name: type, payload } = notification;
      const unknowns = { auctionId: null, offerId: null, message: null };
      await insertNotification(manager, { contentHash, type, occurredAt, payload, ...unknowns });
      return;
    }
    const { type, auctionId } = notification;
    const offerId = notification.offerId?.toLowerCase() ?? null;
    const message = asOneLine(notification.message ?? '');
    const news = { contentHash, type, occurredAt, auctionId, offerId, message, payload: null };
    if (await insertNotification(manager, news)) await this.deactivate(manager, { auctionId, offerId, message });
  }

  private async deactivate(
    manager: EntityManager,
    { auctionId, offerId, message }: { auctionId: number | null; offerId: string | null; message: string },
  ): Promise<void> {
    if (offerId !== null && isUuid(offerId)) {
      await this.deactivations.note(manager, offerId, message);
      return;
    }
    const what = auctionId === null ? `offer '${offerId}'` : `auction ${auctionId}`;
    await this.alerts.raise(
      'offer_deactivated_by_g2a',
      what,
      withReason(`G2A deactivated its ${what} and does not say which offer of ours that is`, message),
      manager,
    );
  }
}

/** Fit for a column and a log line. */
function asOneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, MAX_MESSAGE_LENGTH);
}

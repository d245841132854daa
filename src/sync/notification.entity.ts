import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** What G2A told us, kept for people; once, however often G2A sent it. */
@Entity('notifications')
@Index('notifications_one_per_content', ['contentHash'], { unique: true })
export class StoredNotification {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id: number;

  /** SHA-256 of what it says: G2A may repeat any call. */
  @Column('bytea', { name: 'content_hash' })
  contentHash: Buffer;

  /** G2A's `notification_type`. */
  @Column('varchar', { length: 64 })
  type: string;

  /** G2A's `date`; null when it has none that we understand. */
  @Column('timestamptz', { name: 'occurred_at', nullable: true })
  occurredAt: Date | null;

  @Column('bigint', { name: 'auction_id', nullable: true })
  auctionId: number | null;

  /** In lower case; it may be nobody's that we know. */
  @Column('varchar', { name: 'offer_id', length: 36, nullable: true })
  offerId: string | null;

  @Column('varchar', { length: 1000, nullable: true })
  message: string | null;

  /** The beginning of its JSON, for types that we do not know; null for those that we do. */
  @Column('varchar', { length: 4000, nullable: true })
  payload: string | null;

  @Column('timestamptz', { name: 'received_at', default: () => 'now()' })
  receivedAt: Date;
}

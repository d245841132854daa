import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** Something a person should know. One open row per kind and subject; raising it again counts up. */
@Entity('alerts')
@Index('alerts_one_open_per_subject', ['kind', 'subject'], { unique: true, where: 'cleared_at IS NULL' })
export class Alert {
  @PrimaryGeneratedColumn('uuid')
  id: string;

  @Column('varchar', { length: 64 })
  kind: string;

  /** What it is about: an order id, an offer id, or '' for the whole installation. */
  @Column('varchar', { length: 64, default: '' })
  subject: string;

  @Column('varchar', { length: 1000 })
  message: string;

  @Column('integer', { name: 'raised_count', default: 1 })
  raisedCount: number;

  @Column('timestamptz', { name: 'first_raised_at', default: () => 'now()' })
  firstRaisedAt: Date;

  @Column('timestamptz', { name: 'last_raised_at', default: () => 'now()' })
  lastRaisedAt: Date;

  @Column('timestamptz', { name: 'cleared_at', nullable: true })
  clearedAt: Date | null;
}

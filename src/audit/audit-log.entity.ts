import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** One thing that happened, for people and for bookkeeping. Append-only: the database refuses updates and deletes. */
@Entity('audit_log')
@Index('audit_log_subject', ['subjectType', 'subjectId', 'id'])
export class AuditLogEntry {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id: number;

  @Column('timestamptz', { default: () => 'now()' })
  at: Date;

  /** Who: 'g2a', 'sync', 'orders', 'admin:<name>', 'cli:<name>', or 'sql:<database user>' for a hand-written statement. */
  @Column('varchar', { length: 64 })
  actor: string;

  @Column('varchar', { length: 64 })
  action: string;

  @Column('varchar', { name: 'subject_type', length: 32 })
  subjectType: string;

  @Column('varchar', { name: 'subject_id', length: 64 })
  subjectId: string;

  @Column('jsonb', { default: () => `'{}'` })
  details: Record<string, unknown>;
}

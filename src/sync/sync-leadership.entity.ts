import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** The one row that says which replica synchronizes. All times are the database's. */
@Entity('sync_leadership')
@Check('sync_leadership_is_one_row', 'id = 1')
export class SyncLeadership {
  @PrimaryColumn('smallint', { default: 1 })
  id: number;

  /** A number that each process draws at its start; null when nobody leads. */
  @Column('uuid', { nullable: true })
  holder: string | null;

  @Column('timestamptz', { name: 'acquired_at', default: () => 'now()' })
  acquiredAt: Date;

  /** Anybody may take the lead after this time. */
  @Column('timestamptz', { name: 'expires_at', default: () => 'now()' })
  expiresAt: Date;
}

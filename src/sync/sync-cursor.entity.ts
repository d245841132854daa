import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How far a feed has been read. Written in the same transaction as the data it covers. */
@Entity('sync_cursors')
export class SyncCursor {
  @PrimaryColumn('varchar', { length: 64 })
  name: string;

  /** Ask the supplier for what changed since this time (minus an overlap). */
  @Column('timestamptz')
  position: Date;

  /** Database time at which the last complete pass started: everything it covers is fresh as of then. */
  @Column('timestamptz', { name: 'pass_started_at' })
  passStartedAt: Date;
}

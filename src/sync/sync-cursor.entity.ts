import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** How far a feed has been read. Written in the same transaction as the data it covers. */
@Entity('sync_cursors')
@Check('sync_cursors_sweep_cycle_is_positive', 'sweep_cycle_seconds > 0')
export class SyncCursor {
  @PrimaryColumn('varchar', { length: 64 })
  name: string;

  /** Ask the supplier for what changed since this time (minus an overlap), by its clock as far as we know it. */
  @Column('timestamptz')
  position: Date;

  /** The position that the last pass with the whole overlap led to; null: there was none. See feed-window.rules.ts. */
  @Column('timestamptz', { name: 'reread_position', nullable: true })
  rereadPosition: Date | null;

  /** Database time at which the last complete pass started: everything it covers is fresh as of then. */
  @Column('timestamptz', { name: 'pass_started_at' })
  passStartedAt: Date;

  /** Since when the feed is not believed, because it misses changes; null: it is. See feed-trust.rules.ts. */
  @Column('timestamptz', { name: 'unreliable_since', nullable: true })
  unreliableSince: Date | null;

  /** How long the sweep last needed to ask for every mapped product once, without the time of troubles and pauses. */
  @Column('double precision', { name: 'sweep_cycle_seconds', nullable: true })
  sweepCycleSeconds: number | null;
}

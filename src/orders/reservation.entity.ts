import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A G2A customer's claim on stock. It has expired when `active` and past `expires_at`; nothing needs to mark it so. */
@Entity('reservations')
@Index('reservations_expiry', ['expiresAt'], { where: `state <> 'ordered'` })
@Check('reservations_state_is_known', `state IN ('active', 'released', 'ordered')`)
export class Reservation {
  @PrimaryColumn('uuid')
  id: string;

  @Column('varchar', { length: 16 })
  state: 'active' | 'released' | 'ordered';

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: Date;
}

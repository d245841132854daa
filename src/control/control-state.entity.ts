import { Check, Column, Entity, Generated, PrimaryColumn } from 'typeorm';

/** The one row that says whether the owner has paused the integration, and who this installation is. */
@Entity('control_state')
@Check('control_state_is_one_row', 'id = 1')
export class ControlState {
  @PrimaryColumn('smallint', { default: 1 })
  id: number;

  @Column('boolean', { name: 'is_paused', default: false })
  isPaused: boolean;

  @Column('varchar', { length: 500, nullable: true })
  reason: string | null;

  @Column('varchar', { name: 'changed_by', length: 64, nullable: true })
  changedBy: string | null;

  @Column('timestamptz', { name: 'changed_at', default: () => 'now()' })
  changedAt: Date;

  /** Part of every order reference sent to the supplier, so that two installations on one account never collide. */
  @Column('uuid', { name: 'installation_id' })
  @Generated('uuid')
  installationId: string;

  /** ISO 4217: the currency of every stored price of the supplier; null before the first start. */
  @Column('varchar', { name: 'cws_currency', length: 3, nullable: true })
  cwsCurrency: string | null;
}

import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** By which common inputs all offers were last priced. One row, or none before the first time. */
@Entity('pricing_state')
@Check('pricing_state_is_one_row', 'id')
export class PricingState {
  @PrimaryColumn('boolean', { default: true, primaryKeyConstraintName: 'pricing_state_pkey' })
  id: boolean;

  /** Of everything that applies to all offers alike, and of the process that priced them. */
  @Column('varchar', { name: 'inputs_hash', length: 64 })
  inputsHash: string;

  /** What the account could still pay, in cents; null: stock was not limited by it. */
  @Column('bigint', { name: 'payable_cents', nullable: true })
  payableCents: number | null;
}

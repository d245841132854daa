import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** An order that CWS has under a reference of this installation, and that this database does not know. */
@Entity('unmatched_supplier_orders')
@Check(
  'unmatched_supplier_orders_resolution_is_whole',
  '(resolved_at IS NULL) = (resolved_by IS NULL) AND (resolved_at IS NULL) = (note IS NULL)',
)
export class UnmatchedSupplierOrder {
  @PrimaryColumn('varchar', { name: 'cws_order_id', length: 64 })
  cwsOrderId: string;

  @Column('varchar', { name: 'client_order_id', length: 64 })
  clientOrderId: string;

  /** By CWS's clock; null when CWS does not say. */
  @Column('timestamptz', { name: 'ordered_at', nullable: true })
  orderedAt: Date | null;

  @Column('timestamptz', { name: 'found_at', default: () => 'now()' })
  foundAt: Date;

  /** When a person has said what became of it; null: nothing is bought. */
  @Column('timestamptz', { name: 'resolved_at', nullable: true })
  resolvedAt: Date | null;

  @Column('varchar', { name: 'resolved_by', length: 64, nullable: true })
  resolvedBy: string | null;

  /** What the person found. */
  @Column('varchar', { length: 500, nullable: true })
  note: string | null;
}

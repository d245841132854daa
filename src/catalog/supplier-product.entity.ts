import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** A quantity band as stored: cents, inclusive ends, null for "and more". */
export interface StoredPriceBand {
  readonly fromQuantity: number;
  readonly toQuantity: number | null;
  readonly unitPrice: number;
}

/** Snapshot of a CWS product: what the supplier said last, and when it was asked. */
@Entity('supplier_products')
@Check('supplier_products_quantity_is_not_negative', 'quantity >= 0')
export class SupplierProductSnapshot {
  @PrimaryColumn('uuid', { name: 'cws_product_id' })
  cwsProductId: string;

  @Column('varchar', { length: 500 })
  name: string;

  @Column('integer')
  quantity: number;

  @Column('jsonb', { name: 'price_bands' })
  priceBands: StoredPriceBand[];

  @Column('timestamptz', { name: 'release_date', nullable: true })
  releaseDate: Date | null;

  /** CWS left it out when asked for it by id, or its data was not understood: it counts as out of stock. */
  @Column('boolean', { name: 'is_gone', default: false })
  isGone: boolean;

  /** Database time just before the request was sent that brought this snapshot: nothing later is known. */
  @Column('timestamptz', { name: 'requested_at' })
  requestedAt: Date;

  /** Database time when quantity, prices or presence last changed. */
  @Column('timestamptz', { name: 'changed_at' })
  changedAt: Date;
}

import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A quantity band as stored: cents, inclusive ends, null for "and more". */
export interface StoredPriceBand {
  readonly fromQuantity: number;
  readonly toQuantity: number | null;
  readonly unitPrice: number;
}

/** Snapshot of a CWS product: what the supplier said last, and when it was asked. */
@Entity('supplier_products')
@Check('supplier_products_quantity_is_not_negative', 'quantity >= 0')
@Check(
  'supplier_products_unconfirmed_all_or_nothing',
  'num_nulls(unconfirmed_price_bands, unconfirmed_since, unconfirmed_reason) IN (0, 3)',
)
@Index('supplier_products_unconfirmed', ['unconfirmedSince'], { where: 'unconfirmed_since IS NOT NULL' })
@Index('supplier_products_release_date', ['releaseDate'], { where: 'release_date IS NOT NULL' })
export class SupplierProductSnapshot {
  @PrimaryColumn('uuid', { name: 'cws_product_id' })
  cwsProductId: string;

  @Column('varchar', { length: 500 })
  name: string;

  @Column('integer')
  quantity: number;

  /** The last accepted ones; in the account's currency, as all of CWS's prices. */
  @Column('jsonb', { name: 'price_bands' })
  priceBands: StoredPriceBand[];

  /** What CWS says now, as long as it is not believed: see pricing/price-guard.rules.ts. Null when it is. */
  @Column('jsonb', { name: 'unconfirmed_price_bands', nullable: true })
  unconfirmedPriceBands: StoredPriceBand[] | null;

  /** Database time just before the request was sent that brought the unconfirmed bands first. */
  @Column('timestamptz', { name: 'unconfirmed_since', nullable: true })
  unconfirmedSince: Date | null;

  /** Why they are not believed. */
  @Column('varchar', { name: 'unconfirmed_reason', length: 32, nullable: true })
  unconfirmedReason: string | null;

  /** Grows whenever the bands of either kind change: who writes must have judged by what is still there. */
  @Column('integer', { name: 'price_revision', default: 0 })
  priceRevision: number;

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

import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { ProductMapping } from './product-mapping.entity.js';

/** One of the CWS products that can serve a mapping. Several are alternatives: the cheapest with stock is used. */
@Entity('product_mapping_suppliers', {
  comment: 'CWS products that can serve a mapping; the cheapest with stock is used.',
})
@Index('product_mapping_suppliers_cws_product', ['cwsProductId'])
export class ProductMappingSupplier {
  @PrimaryColumn('bigint', {
    name: 'g2a_product_id',
    primaryKeyConstraintName: 'product_mapping_suppliers_pkey',
  })
  @ForeignKey(() => ProductMapping, { onDelete: 'CASCADE', name: 'product_mapping_suppliers_mapping_fkey' })
  g2aProductId: number;

  @PrimaryColumn('uuid', { name: 'cws_product_id', primaryKeyConstraintName: 'product_mapping_suppliers_pkey' })
  cwsProductId: string;

  /** Order among equally cheap suppliers, lowest first. */
  @Column('smallint', { default: 0 })
  position: number;

  /** Since when it is followed; an older snapshot of it says nothing about today. */
  @Column('timestamptz', { name: 'mapped_at', default: () => 'now()' })
  mappedAt: Date;
}

import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/**
 * A G2A product whose price may not be the right one any more: its mapping, a supplier's prices or stock, or what G2A says of its
 * offer has changed. Written by triggers in the transaction of the change; deleted in the transaction that prices the offer.
 */
@Entity('repricings')
@Index('repricings_product', ['g2aProductId'])
export class Repricing {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'repricings_pkey',
  })
  id: number;

  @Column('bigint', { name: 'g2a_product_id' })
  g2aProductId: number;
}

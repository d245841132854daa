import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { OrderItem } from './order-item.entity.js';
import { Purchase } from './purchase.entity.js';

/** A game key that was bought. Its value exists only encrypted (AES-256-GCM, see key-cipher.ts). */
@Entity('keys')
@Index('keys_one_per_supplier_code', ['cwsCodeId'], { unique: true })
@Index('keys_fingerprint', ['fingerprint'], { unique: true })
@Index('keys_order_item', ['orderItemId'])
@Check('keys_kind_is_known', `kind IN ('text', 'file')`)
@Check('keys_file_has_name', `(kind = 'file') = (file_name IS NOT NULL)`)
export class Key {
  /** The inventory id that G2A sees. */
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid', { name: 'purchase_id' })
  @ForeignKey(() => Purchase, { name: 'keys_purchase_fkey' })
  purchaseId: string;

  @Column('uuid', { name: 'order_item_id' })
  @ForeignKey(() => OrderItem, { name: 'keys_order_item_fkey' })
  orderItemId: string;

  @Column('varchar', { name: 'cws_code_id', length: 64 })
  cwsCodeId: string;

  @Column('varchar', { length: 8 })
  kind: 'text' | 'file';

  @Column('bytea')
  ciphertext: Buffer;

  /** Which encryption key: first 8 hex digits of its SHA-256. */
  @Column('varchar', { name: 'encryption_key_id', length: 8 })
  encryptionKeyId: string;

  /** HMAC of the value: the same code is refused twice without being readable here. */
  @Column('bytea')
  fingerprint: Buffer;

  @Column('varchar', { name: 'file_name', length: 255, nullable: true })
  fileName: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  @Column('timestamptz', { name: 'first_delivered_at', nullable: true })
  firstDeliveredAt: Date | null;

  @Column('timestamptz', { name: 'returned_at', nullable: true })
  returnedAt: Date | null;
}

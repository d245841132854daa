import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { UndeliverableReason } from './key-file.rules.js';
import { OrderItem } from './order-item.entity.js';
import { Purchase } from './purchase.entity.js';

/** A game key that was bought. Its value exists only encrypted (AES-256-GCM, see key-cipher.ts). */
@Entity('keys')
@Index('keys_one_per_supplier_code', ['cwsCodeId'], { unique: true })
@Index('keys_fingerprint', ['fingerprint'], { unique: true })
@Index('keys_order_item', ['orderItemId'])
@Check('keys_kind_is_known', `kind IN ('text', 'file')`)
@Check('keys_file_has_name', `(kind = 'file') = (file_name IS NOT NULL)`)
@Check('keys_only_files_are_undeliverable', `undeliverable_reason IS NULL OR kind = 'file'`)
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

  /** Why this file is not handed over, until a person decides; null when it is. */
  @Column('varchar', { name: 'undeliverable_reason', length: 32, nullable: true })
  undeliverableReason: UndeliverableReason | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: Date;

  /** When its value first left us: a text with the inventory, a file through its own route. */
  @Column('timestamptz', { name: 'first_delivered_at', nullable: true })
  firstDeliveredAt: Date | null;

  /** G2A gave it back: it is never delivered again, and stays what was owed. */
  @Column('timestamptz', { name: 'returned_at', nullable: true })
  returnedAt: Date | null;
}

import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/app-config.js';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A key's value as it may be stored. */
export interface EncryptedKey {
  /** nonce (12 bytes) + authentication tag (16 bytes) + ciphertext. */
  readonly ciphertext: Buffer;
  readonly encryptionKeyId: string;
}

/** Encrypts game keys at rest (AES-256-GCM) and recognizes the same key without being able to read it (HMAC-SHA-256). */
@Injectable()
export class KeyCipher {
  readonly #current: Buffer;
  readonly #byId: ReadonlyMap<string, Buffer>;
  readonly #fingerprintKey: Buffer;

  constructor(config: AppConfig) {
    this.#current = config.keyEncryptionKey;
    this.#byId = new Map([config.keyEncryptionKey, ...config.keyEncryptionKeysOld].map((key) => [keyId(key), key]));
    this.#fingerprintKey = Buffer.from(hkdfSync('sha256', this.#current, '', 'keyferry fingerprint', 32));
  }

  /** @param inventoryId bound to the ciphertext: a value copied to another row does not decrypt there. */
  encrypt(value: string, inventoryId: string): EncryptedKey {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#current, nonce).setAAD(Buffer.from(inventoryId));
    const body = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
    return { ciphertext: Buffer.concat([nonce, cipher.getAuthTag(), body]), encryptionKeyId: keyId(this.#current) };
  }

  /** @throws Error when the encryption key is not configured any more, or the row was tampered with. */
  decrypt(key: EncryptedKey, inventoryId: string): string {
    const secret = this.#byId.get(key.encryptionKeyId);
    if (secret === undefined) {
      throw new Error(`encryption key ${key.encryptionKeyId} is missing: add it to KEY_ENCRYPTION_KEYS_OLD`);
    }
    const nonce = key.ciphertext.subarray(0, NONCE_BYTES);
    const tag = key.ciphertext.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    const decipher = createDecipheriv(ALGORITHM, secret, nonce).setAAD(Buffer.from(inventoryId)).setAuthTag(tag);
    return Buffer.concat([
      decipher.update(key.ciphertext.subarray(NONCE_BYTES + TAG_BYTES)),
      decipher.final(),
    ]).toString();
  }

  /** The same for the same value, and useless to anyone without the encryption key. */
  fingerprint(value: string): Buffer {
    return createHmac('sha256', this.#fingerprintKey).update(value).digest();
  }
}

/** How rows name their encryption key: first 8 hex digits of its SHA-256. */
export function keyId(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8);
}

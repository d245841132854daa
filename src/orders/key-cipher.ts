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
  readonly #formerFingerprintKeys: readonly Buffer[];

  constructor(config: AppConfig) {
    this.#current = config.keyEncryptionKey;
    this.#byId = new Map([config.keyEncryptionKey, ...config.keyEncryptionKeysOld].map((key) => [keyId(key), key]));
    this.#fingerprintKey = fingerprintKey(this.#current);
    this.#formerFingerprintKeys = config.keyEncryptionKeysOld
      .filter((key) => !key.equals(this.#current))
      .map(fingerprintKey);
  }

  /** The id of the key that encrypts. */
  get currentKeyId(): string {
    return keyId(this.#current);
  }

  /** The ids of all keys that decrypt. */
  get readableKeyIds(): readonly string[] {
    return [...this.#byId.keys()];
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
    return hmac(this.#fingerprintKey, value);
  }

  /** What the fingerprint is in rows that are still encrypted under a former key. */
  formerFingerprints(value: string): Buffer[] {
    return this.#formerFingerprintKeys.map((key) => hmac(key, value));
  }
}

function fingerprintKey(encryptionKey: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', encryptionKey, '', 'keyferry fingerprint', 32));
}

function hmac(key: Buffer, value: string): Buffer {
  return createHmac('sha256', key).update(value).digest();
}

/** How rows name their encryption key: first 8 hex digits of its SHA-256. */
export function keyId(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8);
}

import { randomBytes } from 'node:crypto';
import type { AppConfig } from '../config/app-config.js';
import { configWith } from '../http-auth/spec-support/admin-environment.js';
import { KeyCipher } from './key-cipher.js';

const current = randomBytes(32);
const old = randomBytes(32);

function cipherWith(keyEncryptionKey: Buffer, keyEncryptionKeysOld: Buffer[] = []): KeyCipher {
  const config: AppConfig = configWith({
    KEY_ENCRYPTION_KEY: keyEncryptionKey.toString('base64'),
    ...(keyEncryptionKeysOld.length === 0
      ? {}
      : { KEY_ENCRYPTION_KEYS_OLD: keyEncryptionKeysOld.map((key) => key.toString('base64')).join(',') }),
  });
  return new KeyCipher(config);
}

describe('keys at rest', () => {
  it('come back as they were, and look different each time', () => {
    const cipher = cipherWith(current);
    const first = cipher.encrypt('ABCD-Ž-1234', 'row-1');
    const second = cipher.encrypt('ABCD-Ž-1234', 'row-1');
    expect(cipher.decrypt(first, 'row-1')).toBe('ABCD-Ž-1234');
    expect(first.ciphertext.equals(second.ciphertext)).toBe(false);
    expect(first.ciphertext.includes('ABCD')).toBe(false);
  });

  it('cannot be read from another row, or when a byte was changed', () => {
    const cipher = cipherWith(current);
    const key = cipher.encrypt('ABCD', 'row-1');
    expect(() => cipher.decrypt(key, 'row-2')).toThrow();
    for (let index = 0; index < key.ciphertext.length; index += 1) {
      const ciphertext = Buffer.from(key.ciphertext);
      ciphertext[index]! ^= 1;
      expect(() => cipher.decrypt({ ...key, ciphertext }, 'row-1')).toThrow();
    }
  });

  it('stay readable after the encryption key was replaced, as long as the old one is configured', () => {
    const key = cipherWith(old).encrypt('ABCD', 'row-1');
    expect(cipherWith(current, [old]).decrypt(key, 'row-1')).toBe('ABCD');
    expect(() => cipherWith(current).decrypt(key, 'row-1')).toThrow('KEY_ENCRYPTION_KEYS_OLD');
  });

  it('are recognized in rows that were encrypted under a former key', () => {
    expect(cipherWith(current, [old]).formerFingerprints('ABCD')).toEqual([cipherWith(old).fingerprint('ABCD')]);
    expect(cipherWith(current).formerFingerprints('ABCD')).toEqual([]);
  });

  it('have a fingerprint that only the owner of the encryption key can make', () => {
    expect(cipherWith(current).fingerprint('ABCD')).toEqual(cipherWith(current).fingerprint('ABCD'));
    expect(cipherWith(current).fingerprint('ABCD')).not.toEqual(cipherWith(current).fingerprint('ABCE'));
    expect(cipherWith(current).fingerprint('ABCD')).not.toEqual(cipherWith(old).fingerprint('ABCD'));
  });
});

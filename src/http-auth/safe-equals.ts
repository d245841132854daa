import { createHash, timingSafeEqual } from 'node:crypto';
import type { BasicCredentials } from './basic-header.js';

/**
 * Whether two secrets are the same text. Takes equally long wherever they differ, and whatever their lengths, because
 * SHA-256 digests are compared instead of the texts.
 */
export function safeEquals(presented: string, expected: string): boolean {
  return timingSafeEqual(sha256(presented), sha256(expected));
}

/** Whether name and password are both right; takes as long when only one of them is. */
export function safeEqualsCredentials(presented: BasicCredentials, expected: BasicCredentials): boolean {
  const isUsernameRight = safeEquals(presented.username, expected.username);
  const isPasswordRight = safeEquals(presented.password, expected.password);
  return isUsernameRight && isPasswordRight;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

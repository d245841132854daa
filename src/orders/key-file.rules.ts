import { Buffer } from 'node:buffer';

/** What is handed over as a file. Never anything that a browser would run, such as HTML or SVG. */
export const FILE_MIME_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'application/pdf'] as const;
export type FileMimeType = (typeof FILE_MIME_TYPES)[number];

/** Why a file is kept and not handed over. */
export type UndeliverableReason = 'not_base64' | 'too_large' | 'unknown_type';

/** A file as it may be handed over, or why it may not. */
export type KeyFile =
  { readonly mimeType: FileMimeType; readonly bytes: Buffer } | { readonly undeliverableReason: UndeliverableReason };

/** Most bytes of a file that is handed over. */
export const MAX_FILE_BYTES = 5 * 1024 * 1024;
/** Of a name before its extension: 120 characters are at most 240 UTF-16 units, so that all of it stays below 255. */
const LEADING_CHARACTERS = /^.{0,120}/u;

/** Base64 has 4 characters for 3 bytes; the rest is room for line breaks. */
const MAX_TEXT_LENGTH = MAX_FILE_BYTES * 1.5;

const EXTENSIONS: Readonly<Record<FileMimeType, readonly [preferred: string, ...others: string[]]>> = {
  'image/png': ['png'],
  'image/jpeg': ['jpg', 'jpeg'],
  'image/gif': ['gif'],
  'image/webp': ['webp'],
  'application/pdf': ['pdf'],
};

/** The file in a supplier's base64 text. Its type is told by its bytes alone: names and declared types are anybody's claim. */
export function readKeyFile(value: string): KeyFile {
  if (value.length > MAX_TEXT_LENGTH) return { undeliverableReason: 'too_large' };
  const text = value.replace(/\s+/g, '');
  if (!isBase64(text)) return { undeliverableReason: 'not_base64' };
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length > MAX_FILE_BYTES) return { undeliverableReason: 'too_large' };
  const mimeType = sniffMimeType(bytes);
  return mimeType === null ? { undeliverableReason: 'unknown_type' } : { mimeType, bytes };
}

/** Not by one expression for all of it: on millions of characters its repetition may use up the stack. */
function isBase64(text: string): boolean {
  const digits = text.endsWith('==') ? text.length - 2 : text.endsWith('=') ? text.length - 1 : text.length;
  return digits > 0 && text.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(text.slice(0, digits));
}

/** The type that the first bytes show; null for every other one. */
export function sniffMimeType(bytes: Buffer): FileMimeType | null {
  const startsWith = (signature: string, offset = 0) =>
    bytes.subarray(offset, offset + signature.length).equals(Buffer.from(signature, 'latin1'));
  if (startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (startsWith('GIF87a') || startsWith('GIF89a')) return 'image/gif';
  if (startsWith('RIFF') && startsWith('WEBP', 8)) return 'image/webp';
  if (startsWith('%PDF-')) return 'application/pdf';
  return null;
}

/**
 * A name that is safe to save a file under: no path, no control or invisible characters, nothing that a file system
 * refuses, at most 255 characters, with an extension that says what the bytes are.
 * @param mimeType null: without an extension.
 */
export function safeFileName(name: string | null, mimeType: FileMimeType | null): string {
  const [, base = '', extension = ''] =
    /^(.*?)(?:\.([A-Za-z0-9]{1,5}))?$/.exec(
      (name ?? '')
        .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
        .replace(/^.*[/\\]/, '')
        .replace(/[<>:"|?*]/g, '_'),
    ) ?? [];
  const bounded = LEADING_CHARACTERS.exec(base)?.[0] ?? '';
  const plain = bounded.replace(/^[.\s]+|[.\s]+$/g, '') || 'key';
  if (mimeType === null) return plain;
  const allowed = EXTENSIONS[mimeType];
  return `${plain}.${allowed.find((known) => known === extension.toLowerCase()) ?? allowed[0]}`;
}

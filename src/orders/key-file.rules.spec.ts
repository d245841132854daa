import { Buffer } from 'node:buffer';
import { MAX_FILE_BYTES, readKeyFile, safeFileName, sniffMimeType } from './key-file.rules.js';

const PNG = Buffer.from('89504e470d0a1a0a0000', 'hex');
const base64 = (bytes: Buffer | string) => Buffer.from(bytes).toString('base64');

describe('the type of a file', () => {
  it.each([
    ['image/png', PNG],
    ['image/jpeg', Buffer.from('ffd8ffe000104a46', 'hex')],
    ['image/gif', Buffer.from('GIF87a…')],
    ['image/gif', Buffer.from('GIF89a…')],
    ['image/webp', Buffer.from('RIFF\0\0\0\0WEBPVP8 ')],
    ['application/pdf', Buffer.from('%PDF-1.7\n')],
  ])('is %s when its bytes say so', (mimeType, bytes) => {
    expect(sniffMimeType(bytes)).toBe(mimeType);
  });

  it.each([
    ['HTML', '<!doctype html><script>alert(1)</script>'],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['HTML in front of an image', `<b>${PNG.toString('latin1')}`],
    ['another RIFF file', 'RIFF\0\0\0\0WAVEfmt '],
    ['a BMP', 'BM\0\0\0\0'],
    ['a program', 'MZ\x90\0'],
    ['half a signature', '\x89PN'],
    ['nothing', ''],
  ])('is unknown for %s', (_kind, bytes) => {
    expect(sniffMimeType(Buffer.from(bytes, 'latin1'))).toBeNull();
  });
});

describe('a file in base64', () => {
  it('is read, also with line breaks in it', () => {
    const text = base64(PNG);
    for (const value of [text, `${text.slice(0, 8)}\r\n${text.slice(8)}\n`]) {
      expect(readKeyFile(value)).toEqual({ mimeType: 'image/png', bytes: PNG });
    }
  });

  it.each([
    ['a plain key', 'AAAAA-BBBBB-CCCCC'],
    ['half of it', base64(PNG).slice(0, -1)],
    ['padding in the middle', 'iVBO==BO'],
    ['nothing', ''],
  ])('is not read from %s', (_kind, value) => {
    expect(readKeyFile(value)).toEqual({ undeliverableReason: 'not_base64' });
  });

  it('has a type that we hand over', () => {
    expect(readKeyFile(base64('<svg/>'))).toEqual({ undeliverableReason: 'unknown_type' });
  });

  it('is no larger than we hand over, to the byte', () => {
    const largest = Buffer.concat([PNG, Buffer.alloc(MAX_FILE_BYTES - PNG.length)]);
    expect(readKeyFile(base64(largest))).toMatchObject({ mimeType: 'image/png' });
    expect(readKeyFile(base64(Buffer.concat([largest, Buffer.alloc(1)])))).toEqual({
      undeliverableReason: 'too_large',
    });
    expect(readKeyFile('A'.repeat(MAX_FILE_BYTES * 2))).toEqual({ undeliverableReason: 'too_large' });
  });
});

describe('the name of a file', () => {
  it.each([
    ['key.png', 'key.png'],
    ['KEY.PNG', 'KEY.png'],
    ['key.html', 'key.png'],
    ['key.jpeg', 'key.png'],
    ['key', 'key.png'],
    ['My game v1.2 (EU).png', 'My game v1.2 (EU).png'],
    ['schlüssel.png', 'schlüssel.png'],
    ['../../etc/passwd', 'passwd.png'],
    ['C:\\keys\\a.png', 'a.png'],
    ['..', 'key.png'],
    ['.png', 'key.png'],
    ['/', 'key.png'],
    ['', 'key.png'],
    [null, 'key.png'],
    ['a\r\nSet-Cookie: b.png', 'aSet-Cookie_ b.png'],
    ['a\0b.png', 'ab.png'],
    ['gnp\u202e.exe', 'gnp.png'],
    ['\ud800.png', 'key.png'],
    ['a<b>"c"|d?.png', 'a_b__c__d_.png'],
  ])('%j becomes %j', (name, expected) => {
    expect(safeFileName(name, 'image/png')).toBe(expected);
    expect(safeFileName(expected, 'image/png')).toBe(expected);
  });

  it('keeps either spelling of a JPEG', () => {
    expect(safeFileName('key.jpeg', 'image/jpeg')).toBe('key.jpeg');
    expect(safeFileName('key.jpe', 'image/jpeg')).toBe('key.jpg');
  });

  it('is bounded, whatever it is made of', () => {
    for (const name of ['x'.repeat(5000), `${'x'.repeat(5000)}.webp`, '🎮'.repeat(500), 'x.'.repeat(2000)]) {
      expect(safeFileName(name, 'image/webp').length).toBeLessThanOrEqual(255);
      expect(safeFileName(name, 'image/webp')).toMatch(/[^.]\.webp$/u);
    }
  });

  it('has no extension when the type is unknown', () => {
    expect(safeFileName('../key.svg', null)).toBe('key');
  });
});

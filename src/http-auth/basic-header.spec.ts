import { decodeBasicHeader } from './basic-header.js';

function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

describe('decodeBasicHeader', () => {
  it('reads name and password', () => {
    expect(decodeBasicHeader(`Basic ${encode('admin:secret')}`)).toEqual({ username: 'admin', password: 'secret' });
  });

  it('takes only the first colon as the separator', () => {
    expect(decodeBasicHeader(`Basic ${encode('admin:a:b::c')}`)).toEqual({ username: 'admin', password: 'a:b::c' });
  });

  it('reads UTF-8 and accepts the scheme in any case', () => {
    expect(decodeBasicHeader(`bAsIc ${encode('jörg:pässwörd')}`)).toEqual({ username: 'jörg', password: 'pässwörd' });
  });

  it('lets name and password be empty, for the comparison to refuse', () => {
    expect(decodeBasicHeader(`Basic ${encode(':')}`)).toEqual({ username: '', password: '' });
  });

  it.each([
    ['a missing header', undefined],
    ['an empty header', ''],
    ['another scheme', `Bearer ${encode('admin:secret')}`],
    ['no colon', `Basic ${encode('adminsecret')}`],
    ['characters outside base64', 'Basic ad*min'],
    ['a second word', `Basic ${encode('admin:secret')} more`],
  ])('finds no credentials in %s', (_case, header) => {
    expect(decodeBasicHeader(header)).toBeUndefined();
  });
});

import { Buffer } from 'node:buffer';
import { readBasicPair, readOAuthBasicPairs } from './client-pair.js';

const header = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('The pair of a Basic header', () => {
  it('has a secret that may start with a colon and contain more', () => {
    expect(readBasicPair(header('g2a::a:b'))).toEqual({ clientId: 'g2a', clientSecret: ':a:b' });
  });

  it('of a token request may be form-encoded or not', () => {
    expect(readOAuthBasicPairs(header('g2a:a%2Bb+c'))).toEqual([
      { clientId: 'g2a', clientSecret: 'a%2Bb+c' },
      { clientId: 'g2a', clientSecret: 'a+b c' },
    ]);
    expect(readOAuthBasicPairs(header('g2a:100%'))).toEqual([{ clientId: 'g2a', clientSecret: '100%' }]);
  });

  it.each([[undefined], ['Basic'], ['Bearer YTpi']])('is not there in %s', (text) => {
    expect(readBasicPair(text)).toBeNull();
    expect(readOAuthBasicPairs(text)).toEqual([]);
  });
});

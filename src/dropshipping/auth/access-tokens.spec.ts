import { AccessTokens } from './access-tokens.js';

describe('AccessTokens', () => {
  const pair = { clientId: 'g2a', clientSecret: 'a-secret:with:colons' };
  const before = { clientId: 'g2a-before', clientSecret: 'the-secret-before-it' };
  let now = 1_700_000_000_000;
  const tokensOf = (...pairs: { clientId: string; clientSecret: string }[]) => new AccessTokens(pairs, () => now);

  beforeEach(() => {
    now = 1_700_000_000_000;
  });

  it('hold on every replica and after a restart: whoever knows the secret accepts them', () => {
    expect(tokensOf(pair).isValid(tokensOf(pair).issue(pair))).toBe(true);
  });

  it('end after an hour', () => {
    const token = tokensOf(pair).issue(pair);
    now += 3_599_999;
    expect(tokensOf(pair).isValid(token)).toBe(true);
    now += 1;
    expect(tokensOf(pair).isValid(token)).toBe(false);
  });

  it('end with the secret, and with the client id', () => {
    const token = tokensOf(pair).issue(pair);
    expect(tokensOf({ ...pair, clientSecret: 'another-secret' }).isValid(token)).toBe(false);
    expect(tokensOf({ ...pair, clientId: 'another-id' }).isValid(token)).toBe(false);
  });

  it('of the previous pair are accepted as long as that pair is', () => {
    const token = tokensOf(before).issue(before);
    expect(tokensOf(pair, before).isValid(token)).toBe(true);
    expect(tokensOf(pair).isValid(token)).toBe(false);
  });

  it('are refused when any character is changed, added or missing', () => {
    const token = tokensOf(pair).issue(pair);
    for (let index = 0; index < token.length; index++) {
      const other = token[index] === '1' ? '2' : '1';
      expect(tokensOf(pair).isValid(token.slice(0, index) + other + token.slice(index + 1))).toBe(false);
      expect(tokensOf(pair).isValid(token.slice(0, index) + token.slice(index + 1))).toBe(false);
    }
    expect(tokensOf(pair).isValid(`${token}=`)).toBe(false);
    expect(tokensOf(pair).isValid('')).toBe(false);
  });

  it('contain neither id nor secret', () => {
    const [kind, expiry, signature] = tokensOf(pair).issue(pair).split('.');
    expect([kind, expiry]).toEqual(['kf1', '1700003600']);
    expect(signature).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });
});

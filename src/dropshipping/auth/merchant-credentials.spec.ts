import { MerchantCredentials } from './merchant-credentials.js';

describe('MerchantCredentials', () => {
  const current = { clientId: 'g2a', clientSecret: 'current-secret' };
  const previous = { clientId: 'g2a-before', clientSecret: 'previous-secret' };
  const credentials = new MerchantCredentials([current, previous]);

  it('finds the current and the previous pair', () => {
    expect(credentials.find({ ...current })).toBe(current);
    expect(credentials.find({ ...previous })).toBe(previous);
  });

  it.each([
    ['an unknown id', { ...current, clientId: 'someone' }],
    ['a wrong secret', { ...current, clientSecret: 'current-secreT' }],
    ['the id of one pair with the secret of the other', { ...current, clientSecret: previous.clientSecret }],
    ['a secret that goes on', { ...current, clientSecret: 'current-secret ' }],
    ['nothing', { clientId: '', clientSecret: '' }],
  ])('finds nothing for %s', (_case, presented) => {
    expect(credentials.find(presented)).toBeNull();
  });
});

import { safeEquals, safeEqualsCredentials } from './safe-equals.js';

describe('safeEquals', () => {
  it('accepts the same text', () => {
    expect(safeEquals('correct horse', 'correct horse')).toBe(true);
  });

  it.each(['correct horsf', 'correct', 'correct horse ', 'Correct horse', ''])('refuses "%s"', (presented) => {
    expect(safeEquals(presented, 'correct horse')).toBe(false);
  });
});

describe('safeEqualsCredentials', () => {
  const expected = { username: 'admin', password: 'secret' };

  it('accepts the right name with the right password', () => {
    expect(safeEqualsCredentials({ username: 'admin', password: 'secret' }, expected)).toBe(true);
  });

  it.each([
    ['admin', 'wrong'],
    ['wrong', 'secret'],
    ['', ''],
    ['adminsecret', ''],
  ])('refuses "%s" with "%s"', (username, password) => {
    expect(safeEqualsCredentials({ username, password }, expected)).toBe(false);
  });
});

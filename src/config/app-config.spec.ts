import { format, inspect } from 'node:util';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { parseEnvironment } from './environment.js';

const KEY = randomBytes(32);
const OLD_KEY = randomBytes(32);
const config = parseEnvironment({
  OUR_API_CLIENT_ID: 'g2a',
  OUR_API_CLIENT_SECRET: 'zq-our-api-client-secret',
  OUR_API_CLIENT_ID_PREVIOUS: 'old',
  OUR_API_CLIENT_SECRET_PREVIOUS: 'zq-our-api-client-secret-previous',
  CWS_CLIENT_ID: 'cws-id',
  CWS_CLIENT_SECRET: 'zq-cws-secret',
  CWS_CLIENT_SIGNATURE: 'zq-cws-signature',
  G2A_API_KEY: 'zq-g2a-key',
  G2A_API_SECRET: 'zq-g2a-secret',
  KEY_ENCRYPTION_KEY: KEY.toString('base64'),
  KEY_ENCRYPTION_KEYS_OLD: OLD_KEY.toString('base64'),
  ADMIN_PASSWORD: 'zq-admin',
  DATABASE_URL: 'postgres://user:zq-database@db/keyferry',
  ALERT_WEBHOOK_URL: 'https://hooks.example.org/zq-hook',
  DEFAULT_FIXED_PROFIT: '0.50',
  DEFAULT_G2A_FEE_PERCENTAGE: '0.15',
});

describe('AppConfig', () => {
  it.each([
    ['JSON.stringify', JSON.stringify({ config })],
    ['util.inspect', inspect({ config }, { depth: null, showHidden: true })],
    ['a log line', format('%o %O %j %s', config, config, config, config)],
  ])('shows no secret to %s', (_printer, printed) => {
    expect(printed).not.toMatch(/zq/);
    for (const key of [KEY, OLD_KEY]) {
      expect(printed).not.toContain(key.toString('base64'));
      expect(printed).not.toContain(key.toString('hex').slice(0, 8));
      expect(printed).not.toContain(inspect(key).slice(8, 20));
      expect(printed).not.toContain(JSON.stringify([...key]).slice(1, 12));
    }
  });

  it('shows what is not secret, and which secrets are set', () => {
    expect(config.toJSON()).toMatchObject({
      port: 3000,
      ourApiClientId: 'g2a',
      cwsProductsRate: { requests: 400, windowSeconds: 600 },
      databaseUrl: '***',
      keyEncryptionKeysOld: ['***'],
    });
    expect(inspect(config)).toMatch(/^AppConfig \{[^]*port: 3000/);
  });

  it('cannot be changed', () => {
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.cwsProductsRate)).toBe(true);
    expect(Object.isFrozen(config.keyEncryptionKeysOld)).toBe(true);
  });
});

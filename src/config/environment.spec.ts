import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, type ConfigurationProblem } from './configuration-error.js';
import { parseDatabaseEnvironment, parseEnvironment } from './environment.js';

const KEY = Buffer.alloc(32, 42);
const REQUIRED = {
  OUR_API_CLIENT_ID: 'g2a',
  OUR_API_CLIENT_SECRET: 'sixteen-or-more-characters',
  CWS_CLIENT_ID: 'cws-id',
  CWS_CLIENT_SECRET: 'cws-secret',
  CWS_CLIENT_SIGNATURE: 'cws-signature',
  G2A_API_KEY: 'g2a-key',
  G2A_API_SECRET: 'g2a-secret',
  KEY_ENCRYPTION_KEY: KEY.toString('base64'),
  DEFAULT_FIXED_PROFIT: '0.50',
  DEFAULT_G2A_FEE_PERCENTAGE: '0.15',
};

function configWith(variables: Record<string, string>) {
  return parseEnvironment({ ...REQUIRED, ...variables });
}

function failureOf(parse: () => unknown): ConfigurationError {
  try {
    parse();
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown');
}

function problemsWith(variables: Record<string, string>): readonly ConfigurationProblem[] {
  return failureOf(() => configWith(variables)).problems;
}

describe('A complete environment', () => {
  it('needs only the required variables, and every other has its documented default', () => {
    expect(Object.fromEntries(Object.entries(parseEnvironment(REQUIRED)))).toEqual({
      isProduction: false,
      databaseUrl: undefined,
      allowsEmbeddedDatabase: false,
      port: 3000,
      host: '127.0.0.1',
      trustProxy: false,
      isServiceEnabled: true,
      ourApiClientId: 'g2a',
      ourApiClientSecret: 'sixteen-or-more-characters',
      ourApiClientIdPrevious: undefined,
      ourApiClientSecretPrevious: undefined,
      adminUsername: 'admin',
      adminPassword: undefined,
      cwsClientId: 'cws-id',
      cwsClientSecret: 'cws-secret',
      cwsClientSignature: 'cws-signature',
      cwsApiBaseUrl: 'https://api.codeswholesale.com',
      cwsTargetCurrency: 'EUR',
      cwsProductsRate: { requests: 400, windowSeconds: 600 },
      cwsProductRate: { requests: 600, windowSeconds: 300 },
      cwsOrdersRate: { requests: 6000, windowSeconds: 60 },
      g2aApiKey: 'g2a-key',
      g2aApiSecret: 'g2a-secret',
      g2aApiBaseUrl: 'https://api.g2a.com',
      g2aRate: { requests: 600, windowSeconds: 60 },
      keyEncryptionKey: KEY,
      keyEncryptionKeysOld: [],
      defaultFixedProfit: 50,
      defaultProfitPercent: '0',
      defaultG2aFeePercentage: '0.15',
      defaultG2aFeeFixed: 0,
      maxLossPerOrder: 0,
      priceSimulation: 'sample',
      maxPriceChangePercent: 70,
      exchangeRateMaxAgeHours: 24,
      syncIntervalSeconds: 5,
      staleAfterSeconds: 300,
      stockBuffer: 0,
      maxDeclaredStock: 10_000,
      lowStock: 10,
      balanceLimitsStock: true,
      createMissingOffers: false,
      pauseDeactivatesOffers: true,
      reservationTtlSeconds: 1800,
      reservationStockMaxAgeSeconds: 10,
      orderPollTimeoutSeconds: 420,
      purchaseSettleSeconds: 180,
      purchaseResetSettleSeconds: 60,
      lowBalanceAlert: 5000,
      alertWebhookUrl: undefined,
    });
  });

  it.each([
    ['PORT', '0', 'port', 0],
    ['PORT', ' 65535 ', 'port', 65_535],
    ['HOST', '::1', 'host', '::1'],
    ['HOST', 'shop.internal', 'host', 'shop.internal'],
    ['TRUST_PROXY', 'OFF', 'trustProxy', false],
    ['TRUST_PROXY', '2', 'trustProxy', 2],
    ['TRUST_PROXY', '10.0.0.0/8, ::1', 'trustProxy', ['10.0.0.0/8', '::1']],
    ['SERVICE_ENABLED', 'False', 'isServiceEnabled', false],
    ['SERVICE_ENABLED', '0', 'isServiceEnabled', false],
    ['CREATE_MISSING_OFFERS', '1', 'createMissingOffers', true],
    ['CREATE_MISSING_OFFERS', 'TRUE', 'createMissingOffers', true],
    ['PRICE_SIMULATION', 'All', 'priceSimulation', 'all'],
    ['CWS_TARGET_CURRENCY', 'usd', 'cwsTargetCurrency', 'USD'],
    ['CWS_API_BASE_URL', 'http://127.0.0.1:4001/', 'cwsApiBaseUrl', 'http://127.0.0.1:4001'],
    ['G2A_API_BASE_URL', 'https://example.org/g2a/', 'g2aApiBaseUrl', 'https://example.org/g2a'],
    ['G2A_RATE', '10/1s', 'g2aRate', { requests: 10, windowSeconds: 1 }],
    ['DEFAULT_FIXED_PROFIT', '0', 'defaultFixedProfit', 0],
    ['DEFAULT_FIXED_PROFIT', '1.1', 'defaultFixedProfit', 110],
    ['DEFAULT_G2A_FEE_PERCENTAGE', '0.1080', 'defaultG2aFeePercentage', '0.108'],
    ['DEFAULT_PROFIT_PERCENT', '12.50', 'defaultProfitPercent', '12.5'],
    [
      'KEY_ENCRYPTION_KEYS_OLD',
      `${KEY.toString('base64')}, ${KEY.toString('base64')}`,
      'keyEncryptionKeysOld',
      [KEY, KEY],
    ],
    ['ADMIN_PASSWORD', 'let me in', 'adminPassword', 'let me in'],
    ['ADMIN_PASSWORD', '', 'adminPassword', undefined],
    ['ADMIN_PASSWORD', '   ', 'adminPassword', undefined],
    ['SYNC_INTERVAL_SECONDS', '', 'syncIntervalSeconds', 5],
    ['ALERT_WEBHOOK_URL', 'https://hooks.example.org/a?b=c', 'alertWebhookUrl', 'https://hooks.example.org/a?b=c'],
    ['DATABASE_URL', 'postgresql://u:p%40@db:5432/keyferry', 'databaseUrl', 'postgresql://u:p%40@db:5432/keyferry'],
  ])('reads %s=%j as %s = %j', (variable, value, property, expected) => {
    expect(configWith({ [variable]: value })).toMatchObject({ [property]: expected });
  });

  it('holds two pairs of our credentials while they are rotated', () => {
    const previous = { OUR_API_CLIENT_ID_PREVIOUS: 'old', OUR_API_CLIENT_SECRET_PREVIOUS: 'old-old-old-old-old' };
    expect(configWith(previous)).toMatchObject({
      ourApiClientIdPrevious: 'old',
      ourApiClientSecretPrevious: 'old-old-old-old-old',
    });
  });
});

describe('A variable that is wrong', () => {
  it.each(Object.keys(REQUIRED))('is refused when it is required and missing: %s', (variable) => {
    const [problem, ...others] = problemsWith({ [variable]: '' });
    expect(problem).toEqual({ variable, problem: expect.stringMatching(/^is not set; expected /) });
    expect(others).toEqual([]);
  });

  it.each([
    ['PORT', '65536', /from 0 to 65535/],
    ['PORT', '-1', /from 0 to 65535/],
    ['PORT', '3000.5', /whole number/],
    ['PORT', '0x10', /whole number/],
    ['PORT', 'abc', /is not valid: "abc"; expected a whole number/],
    ['HOST', 'http://localhost', /IP address or a host name/],
    ['TRUST_PROXY', 'true', /off, a number of proxies/],
    ['TRUST_PROXY', '0', /from 1 to 32/],
    ['TRUST_PROXY', '33', /from 1 to 32/],
    ['TRUST_PROXY', '10.0.0.0/33', /list of addresses/],
    ['TRUST_PROXY', '10.0.0.0/8/8', /list of addresses/],
    ['TRUST_PROXY', '10.0.0.1,', /list of addresses/],
    ['TRUST_PROXY', '::1/129', /list of addresses/],
    ['TRUST_PROXY', 'proxy.local', /list of addresses/],
    ['SERVICE_ENABLED', 'yes', /true or false/],
    ['BALANCE_LIMITS_STOCK', 'on', /true or false/],
    ['CREATE_MISSING_OFFERS', '2', /true or false/],
    ['PAUSE_DEACTIVATES_OFFERS', 'no', /true or false/],
    ['ALLOW_EMBEDDED_DATABASE', 'maybe', /true or false/],
    ['NODE_ENV', 'prod\nuction', /one line/],
    ['OUR_API_CLIENT_ID', 'a:b', /without a colon/],
    ['OUR_API_CLIENT_SECRET', 'fifteen-letters', /at least 16 characters/],
    ['ADMIN_USERNAME', 'a:b', /without a colon/],
    ['ADMIN_PASSWORD', 'a\nb', /one line/],
    ['CWS_CLIENT_ID', 'a\nb', /one line/],
    ['CWS_CLIENT_SECRET', 'a\nb', /one line/],
    ['CWS_CLIENT_SIGNATURE', 'sïgnature', /printable ASCII/],
    ['G2A_API_KEY', 'a\nb', /one line/],
    ['G2A_API_SECRET', 'a\nb', /one line/],
    ['CWS_API_BASE_URL', 'ftp://example.org', /http:\/\/ or https:\/\//],
    ['CWS_API_BASE_URL', 'api.codeswholesale.com', /http:\/\/ or https:\/\//],
    ['CWS_API_BASE_URL', 'https://user:pass@example.org', /without credentials/],
    ['G2A_API_BASE_URL', 'https://user@example.org', /without credentials/],
    ['G2A_API_BASE_URL', 'https://example.org?a=b', /without credentials, query/],
    ['G2A_API_BASE_URL', 'https://', /http:\/\/ or https:\/\//],
    ['ALERT_WEBHOOK_URL', 'https://user:pass@example.org', /without credentials/],
    ['ALERT_WEBHOOK_URL', 'mailto:me@example.org', /http:\/\/ or https:\/\//],
    ['DATABASE_URL', 'mysql://u:p@db/keyferry', /postgres:\/\//],
    ['DATABASE_URL', 'postgres://u:p@db:port/keyferry', /postgres:\/\//],
    ['CWS_TARGET_CURRENCY', 'EURO', /ISO 4217/],
    ['CWS_TARGET_CURRENCY', 'QQQ', /ISO 4217/],
    ['CWS_PRODUCTS_RATE', '400', /400\/600s/],
    ['CWS_PRODUCTS_RATE', '0/600s', /400\/600s/],
    ['CWS_PRODUCT_RATE', '600/0s', /400\/600s/],
    ['CWS_PRODUCT_RATE', '600/300m', /400\/600s/],
    ['G2A_RATE', '1.5/60s', /400\/600s/],
    ['G2A_RATE', '1/86401s', /400\/600s/],
    ['DEFAULT_FIXED_PROFIT', '-0.01', /from 0\.00/],
    ['DEFAULT_FIXED_PROFIT', '0.505', /at most two decimals/],
    ['DEFAULT_FIXED_PROFIT', '0,50', /a point/],
    ['DEFAULT_FIXED_PROFIT', '1e2', /an amount/],
    ['DEFAULT_FIXED_PROFIT', '1000000.01', /to 1000000\.00/],
    ['DEFAULT_FIXED_PROFIT', '999999999999999', /to 1000000\.00/],
    ['DEFAULT_G2A_FEE_FIXED', '-1', /an amount/],
    ['MAX_LOSS_PER_ORDER', 'none', /an amount/],
    ['LOW_BALANCE_ALERT', '50 EUR', /an amount/],
    ['DEFAULT_G2A_FEE_PERCENTAGE', '1', /from 0 to below 1/],
    ['DEFAULT_G2A_FEE_PERCENTAGE', '15', /0\.15 for 15 %/],
    ['DEFAULT_G2A_FEE_PERCENTAGE', '-0.1', /from 0/],
    ['DEFAULT_G2A_FEE_PERCENTAGE', '15%', /fraction/],
    ['DEFAULT_PROFIT_PERCENT', '1000.1', /from 0 to 1000/],
    ['DEFAULT_PROFIT_PERCENT', '-1', /from 0/],
    ['PRICE_SIMULATION', 'some', /one of off, sample, all/],
    ['MAX_PRICE_CHANGE_PERCENT', '0', /percent from 1 to 1000/],
    ['EXCHANGE_RATE_MAX_AGE_HOURS', '0', /hours from 1 to 8760/],
    ['SYNC_INTERVAL_SECONDS', '0', /seconds from 1 to 3600/],
    ['STALE_AFTER_SECONDS', '0', /seconds from 1 to 86400/],
    ['STOCK_BUFFER', '10001', /pieces from 0 to 10000/],
    ['MAX_DECLARED_STOCK', '0', /pieces from 1 to 10000/],
    ['MAX_DECLARED_STOCK', '10001', /pieces from 1 to 10000/],
    ['LOW_STOCK', '-1', /pieces from 0 to 10000/],
    ['RESERVATION_TTL_SECONDS', '0', /seconds from 1 to 86400/],
    ['RESERVATION_STOCK_MAX_AGE_SECONDS', '3601', /seconds from 0 to 3600/],
    ['ORDER_POLL_TIMEOUT_SECONDS', '7m', /seconds from 1 to 86400/],
    ['PURCHASE_SETTLE_SECONDS', '0', /seconds from 1 to 3600/],
    ['PURCHASE_RESET_SETTLE_SECONDS', '3601', /seconds from 1 to 3600/],
    ['KEY_ENCRYPTION_KEY', Buffer.alloc(31, 7).toString('base64'), /exactly 32 bytes/],
    ['KEY_ENCRYPTION_KEY', Buffer.alloc(33, 7).toString('base64'), /exactly 32 bytes/],
    ['KEY_ENCRYPTION_KEY', Buffer.alloc(32, 7).toString('hex'), /exactly 32 bytes/],
    ['KEY_ENCRYPTION_KEY', KEY.toString('base64').replace('=', ''), /exactly 32 bytes/],
    ['KEY_ENCRYPTION_KEYS_OLD', `${KEY.toString('base64')},${Buffer.alloc(16).toString('base64')}`, /exactly 32 bytes/],
  ])('is refused, and told what is expected: %s=%j', (variable, value, expected) => {
    expect(problemsWith({ [variable]: value })).toEqual([{ variable, problem: expect.stringMatching(expected) }]);
  });

  it('is refused when only one half of the previous credentials is set', () => {
    const both = /OUR_API_CLIENT_ID_PREVIOUS and OUR_API_CLIENT_SECRET_PREVIOUS both or neither/;
    expect(problemsWith({ OUR_API_CLIENT_ID_PREVIOUS: 'old' })).toEqual([
      { variable: 'OUR_API_CLIENT_SECRET_PREVIOUS', problem: expect.stringMatching(both) },
    ]);
    expect(problemsWith({ OUR_API_CLIENT_SECRET_PREVIOUS: 'old-old-old-old-old' })).toEqual([
      { variable: 'OUR_API_CLIENT_ID_PREVIOUS', problem: expect.stringMatching(both) },
    ]);
  });

  it('is refused when the previous credentials are themselves bad', () => {
    const problems = problemsWith({ OUR_API_CLIENT_ID_PREVIOUS: 'a:b', OUR_API_CLIENT_SECRET_PREVIOUS: 'short' });
    expect(problems.map(({ variable }) => variable)).toEqual([
      'OUR_API_CLIENT_ID_PREVIOUS',
      'OUR_API_CLIENT_SECRET_PREVIOUS',
    ]);
  });
});

describe('The error', () => {
  it('lists every problem at once, each on its own line that begins with the variable', () => {
    const error = failureOf(() =>
      parseEnvironment({ PORT: 'abc', NODE_ENV: 'production', ALLOW_EMBEDDED_DATABASE: 'x' }),
    );
    const variables = [...Object.keys(REQUIRED), 'PORT', 'ALLOW_EMBEDDED_DATABASE', 'DATABASE_URL'];
    expect(new Set(error.problems.map(({ variable }) => variable))).toEqual(new Set(variables));
    const [heading, ...lines] = error.message.split('\n');
    expect(heading).toBe(`The configuration has ${variables.length} problems (.env.example explains every variable):`);
    expect(lines.map((line) => /^ {2}([A-Z0-9_]+): .*expected /.exec(line)?.[1]).sort()).toEqual(variables.sort());
  });

  it('counts a single problem as one', () => {
    expect(failureOf(() => configWith({ PORT: 'abc' })).message).toBe(
      'The configuration has a problem (.env.example explains every variable):\n' +
        '  PORT: is not valid: "abc"; expected a whole number from 0 to 65535',
    );
  });

  it('shows no part of a secret, neither of a bad nor of a good one', () => {
    const secrets = {
      OUR_API_CLIENT_SECRET: 'zq1\u0007',
      OUR_API_CLIENT_SECRET_PREVIOUS: 'zq2\u0007',
      CWS_CLIENT_SECRET: 'zq3\u0007',
      CWS_CLIENT_SIGNATURE: 'zq4\u0007',
      G2A_API_KEY: 'zq5\u0007',
      G2A_API_SECRET: 'zq6-good',
      ADMIN_PASSWORD: 'zq7\u0007',
      KEY_ENCRYPTION_KEY: 'zq8',
      KEY_ENCRYPTION_KEYS_OLD: 'zq9,zq9',
      DATABASE_URL: 'zq://u:zq@host/db',
      CWS_API_BASE_URL: 'https://u:zq@host',
      ALERT_WEBHOOK_URL: 'https://u:zq@host',
    };
    const error = failureOf(() => configWith(secrets));
    expect(error.problems).toHaveLength(Object.keys(secrets).length);
    expect(`${error.message}${error.stack ?? ''}${JSON.stringify(error)}`).not.toContain('zq');
  });
});

describe('In production', () => {
  it.each<Record<string, string>>([{ NODE_ENV: 'production' }, { RENDER: 'true' }])(
    'a missing database is refused with the reason: %j',
    (machine) => {
      expect(problemsWith(machine)).toEqual([
        { variable: 'DATABASE_URL', problem: expect.stringMatching(/redeploy would erase orders and keys/) },
      ]);
    },
  );

  it('an unreadable RENDER counts as set', () => {
    expect(problemsWith({ RENDER: 'a\tb' }).map(({ variable }) => variable)).toEqual(['RENDER', 'DATABASE_URL']);
  });

  it('the embedded database is used where it is explicitly allowed', () => {
    expect(configWith({ RENDER: 'true', ALLOW_EMBEDDED_DATABASE: 'true' })).toMatchObject({
      isProduction: true,
      allowsEmbeddedDatabase: true,
      databaseUrl: undefined,
    });
  });

  it('the service listens on all addresses unless HOST says otherwise', () => {
    const production = { NODE_ENV: 'production', DATABASE_URL: 'postgres://u:p@db/keyferry' };
    expect(configWith(production).host).toBe('0.0.0.0');
    expect(configWith({ ...production, HOST: '10.1.2.3' }).host).toBe('10.1.2.3');
  });

  it('is not assumed for another NODE_ENV or an empty RENDER', () => {
    expect(configWith({ NODE_ENV: 'test', RENDER: '' })).toMatchObject({ isProduction: false, host: '127.0.0.1' });
  });
});

describe('The environment of commands that need only the database', () => {
  it('demands no marketplace credentials', () => {
    expect(parseDatabaseEnvironment({ DATABASE_URL: 'postgres://u:p@db/keyferry', PORT: 'abc' })).toEqual({
      databaseUrl: 'postgres://u:p@db/keyferry',
      allowsEmbeddedDatabase: false,
      isProduction: false,
    });
  });

  it('follows the same rules', () => {
    const { problems } = failureOf(() =>
      parseDatabaseEnvironment({ NODE_ENV: 'production', ALLOW_EMBEDDED_DATABASE: '?' }),
    );
    expect(problems.map(({ variable }) => variable)).toEqual(['ALLOW_EMBEDDED_DATABASE', 'DATABASE_URL']);
  });
});

import { type ClassConstructor, plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { AppConfig, type DatabaseConfig } from './app-config.js';
import { ConfigurationError, type ConfigurationProblem } from './configuration-error.js';
import { DatabaseEnvironment, Environment } from './variables.js';

export { DatabaseEnvironment, Environment };

/**
 * Reads the whole configuration from raw variables, such as those of process.env; others are ignored. Values are trimmed,
 * and an empty one counts as not set.
 * @throws ConfigurationError that lists every problem at once.
 */
export function parseEnvironment(raw: Record<string, unknown>): AppConfig {
  const env = read(Environment, raw, (read) => [...problemsOfDatabase(read), ...problemsOfPreviousCredentials(read)]);
  const database = toDatabaseConfig(env);
  return new AppConfig({
    ...database,
    port: env.PORT,
    host: env.HOST ?? (database.isProduction ? '0.0.0.0' : '127.0.0.1'),
    trustProxy: env.TRUST_PROXY,
    isServiceEnabled: env.SERVICE_ENABLED,
    ourApiClientId: env.OUR_API_CLIENT_ID,
    ourApiClientSecret: env.OUR_API_CLIENT_SECRET,
    ourApiClientIdPrevious: env.OUR_API_CLIENT_ID_PREVIOUS,
    ourApiClientSecretPrevious: env.OUR_API_CLIENT_SECRET_PREVIOUS,
    adminUsername: env.ADMIN_USERNAME,
    adminPassword: env.ADMIN_PASSWORD,
    cwsClientId: env.CWS_CLIENT_ID,
    cwsClientSecret: env.CWS_CLIENT_SECRET,
    cwsClientSignature: env.CWS_CLIENT_SIGNATURE,
    cwsApiBaseUrl: env.CWS_API_BASE_URL,
    cwsTargetCurrency: env.CWS_TARGET_CURRENCY,
    cwsProductsRate: env.CWS_PRODUCTS_RATE,
    cwsProductRate: env.CWS_PRODUCT_RATE,
    cwsOrdersRate: env.CWS_ORDERS_RATE,
    g2aApiKey: env.G2A_API_KEY,
    g2aApiSecret: env.G2A_API_SECRET,
    g2aApiBaseUrl: env.G2A_API_BASE_URL,
    g2aRate: env.G2A_RATE,
    keyEncryptionKey: env.KEY_ENCRYPTION_KEY,
    keyEncryptionKeysOld: env.KEY_ENCRYPTION_KEYS_OLD,
    defaultFixedProfit: env.DEFAULT_FIXED_PROFIT,
    defaultProfitPercent: env.DEFAULT_PROFIT_PERCENT,
    defaultG2aFeePercentage: env.DEFAULT_G2A_FEE_PERCENTAGE,
    defaultG2aFeeFixed: env.DEFAULT_G2A_FEE_FIXED,
    maxLossPerOrder: env.MAX_LOSS_PER_ORDER,
    priceSimulation: env.PRICE_SIMULATION,
    maxPriceChangePercent: env.MAX_PRICE_CHANGE_PERCENT,
    exchangeRateMaxAgeHours: env.EXCHANGE_RATE_MAX_AGE_HOURS,
    syncIntervalSeconds: env.SYNC_INTERVAL_SECONDS,
    staleAfterSeconds: env.STALE_AFTER_SECONDS,
    stockBuffer: env.STOCK_BUFFER,
    maxDeclaredStock: env.MAX_DECLARED_STOCK,
    lowStock: env.LOW_STOCK,
    balanceLimitsStock: env.BALANCE_LIMITS_STOCK,
    createMissingOffers: env.CREATE_MISSING_OFFERS,
    pauseDeactivatesOffers: env.PAUSE_DEACTIVATES_OFFERS,
    reservationTtlSeconds: env.RESERVATION_TTL_SECONDS,
    reservationStockMaxAgeSeconds: env.RESERVATION_STOCK_MAX_AGE_SECONDS,
    orderPollTimeoutSeconds: env.ORDER_POLL_TIMEOUT_SECONDS,
    purchaseSettleSeconds: env.PURCHASE_SETTLE_SECONDS,
    purchaseResetSettleSeconds: env.PURCHASE_RESET_SETTLE_SECONDS,
    lowBalanceAlert: env.LOW_BALANCE_ALERT,
    alertWebhookUrl: env.ALERT_WEBHOOK_URL,
  });
}

/**
 * Reads only what decides which database is used, for commands that need no marketplace credentials (migrate, seed).
 * @throws ConfigurationError that lists every problem of these variables.
 */
export function parseDatabaseEnvironment(raw: Record<string, unknown>): DatabaseConfig {
  return Object.freeze(toDatabaseConfig(read(DatabaseEnvironment, raw, problemsOfDatabase)));
}

/** Fills the class from the raw variables and throws all problems: those of single variables, then those between them. */
function read<T extends object>(
  environment: ClassConstructor<T>,
  raw: Record<string, unknown>,
  problemsBetweenVariables: (read: T) => ConfigurationProblem[],
): T {
  const read = plainToInstance(environment, variablesThatAreSet(raw), {
    excludeExtraneousValues: true,
    exposeDefaultValues: true,
  });
  const problemsOfVariables = validateSync(read).flatMap(({ property, constraints = {} }) =>
    Object.values(constraints).map((problem) => ({ variable: property, problem })),
  );
  const problems = [...problemsOfVariables, ...problemsBetweenVariables(read)];
  if (problems.length > 0) throw new ConfigurationError(problems);
  return read;
}

function variablesThatAreSet(raw: Record<string, unknown>): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw)) {
    const text =
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value).trim() : '';
    if (text !== '') variables[name] = text;
  }
  return variables;
}

function toDatabaseConfig(env: DatabaseEnvironment): DatabaseConfig {
  return {
    isProduction: isProduction(env),
    databaseUrl: env.DATABASE_URL,
    allowsEmbeddedDatabase: env.ALLOW_EMBEDDED_DATABASE,
  };
}

function isProduction(env: DatabaseEnvironment): boolean {
  return env.NODE_ENV === 'production' || env.RENDER !== undefined;
}

// A property may hold something unreadable here, hence the comparison with true instead of a negation.
function problemsOfDatabase(env: DatabaseEnvironment): ConfigurationProblem[] {
  const allowsEmbedded: unknown = env.ALLOW_EMBEDDED_DATABASE;
  if (env.DATABASE_URL !== undefined || !isProduction(env) || allowsEmbedded === true) return [];
  const problem =
    'is not set, but NODE_ENV=production or RENDER is: the embedded database lives on the disk of the machine, and a redeploy ' +
    'would erase orders and keys; expected a PostgreSQL URL, or ALLOW_EMBEDDED_DATABASE=true if that disk survives redeploys';
  return [{ variable: 'DATABASE_URL', problem }];
}

function problemsOfPreviousCredentials(env: Environment): ConfigurationProblem[] {
  const names = ['OUR_API_CLIENT_ID_PREVIOUS', 'OUR_API_CLIENT_SECRET_PREVIOUS'] as const;
  const missing = names.filter((name) => env[name] === undefined);
  if (missing.length !== 1) return [];
  return missing.map((variable) => ({
    variable,
    problem: `is not set; expected ${names.join(' and ')} both or neither`,
  }));
}

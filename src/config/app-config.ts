import type { Buffer } from 'node:buffer';
import { inspect } from 'node:util';
import type { Cents } from '../money/cents.js';
import type { RequestRate, TrustProxy } from './variable-kinds.js';

/** What decides which database is used. */
export interface DatabaseConfig {
  /** PostgreSQL connection URL; undefined means the embedded server. Contains a password. */
  readonly databaseUrl: string | undefined;
  /** Whether the embedded server is allowed in production. */
  readonly allowsEmbeddedDatabase: boolean;
  /** NODE_ENV is `production`, or the machine is Render's. */
  readonly isProduction: boolean;
}

/** The values of an AppConfig, without its methods. */
export type AppConfigValues = Omit<AppConfig, 'toJSON' | typeof inspect.custom>;

const MASK = '***';
const SECRETS: ReadonlySet<string> = new Set<keyof AppConfigValues>([
  'ourApiClientSecret',
  'ourApiClientSecretPrevious',
  'cwsClientSecret',
  'cwsClientSignature',
  'g2aApiKey',
  'g2aApiSecret',
  'databaseUrl',
  'keyEncryptionKey',
  'keyEncryptionKeysOld',
  'adminPassword',
  'alertWebhookUrl',
]);

/**
 * The configuration of the program: parsed once, immutable, and safe to print (secrets appear as `***`).
 * Meaning, range and default of each value are told at the variable of the same name in `variables.ts`.
 */
export class AppConfig implements DatabaseConfig {
  readonly isProduction: boolean;
  readonly databaseUrl: string | undefined;
  readonly allowsEmbeddedDatabase: boolean;

  readonly port: number;
  readonly host: string;
  readonly trustProxy: TrustProxy;
  readonly isServiceEnabled: boolean;

  readonly ourApiClientId: string;
  readonly ourApiClientSecret: string;
  readonly ourApiClientIdPrevious: string | undefined;
  readonly ourApiClientSecretPrevious: string | undefined;
  readonly adminUsername: string;
  /** Undefined: the admin routes do not exist. */
  readonly adminPassword: string | undefined;

  readonly cwsClientId: string;
  readonly cwsClientSecret: string;
  readonly cwsClientSignature: string;
  /** Without a final slash. */
  readonly cwsApiBaseUrl: string;
  /** ISO 4217, upper case. */
  readonly cwsTargetCurrency: string;
  readonly cwsProductsRate: RequestRate;
  readonly cwsProductRate: RequestRate;
  readonly cwsOrdersRate: RequestRate;

  readonly g2aApiKey: string;
  readonly g2aApiSecret: string;
  /** Without a final slash. */
  readonly g2aApiBaseUrl: string;
  readonly g2aRate: RequestRate;

  /** 32 bytes. */
  readonly keyEncryptionKey: Buffer;
  /** 32 bytes each. */
  readonly keyEncryptionKeysOld: readonly Buffer[];

  readonly defaultFixedProfit: Cents;
  /** Decimal text: "5" is 5 %. */
  readonly defaultProfitPercent: string;
  /** Decimal text, a fraction: "0.15" is 15 %. */
  readonly defaultG2aFeePercentage: string;
  readonly defaultG2aFeeFixed: Cents;
  readonly maxLossPerOrder: Cents;
  readonly priceSimulation: 'off' | 'sample' | 'all';
  readonly maxPriceChangePercent: number;
  readonly exchangeRateMaxAgeHours: number;

  readonly syncIntervalSeconds: number;
  readonly staleAfterSeconds: number;
  readonly stockBuffer: number;
  readonly maxDeclaredStock: number;
  readonly lowStock: number;
  readonly balanceLimitsStock: boolean;
  readonly createMissingOffers: boolean;
  readonly pauseDeactivatesOffers: boolean;

  readonly reservationTtlSeconds: number;
  readonly reservationStockMaxAgeSeconds: number;
  readonly orderPollTimeoutSeconds: number;
  readonly purchaseSettleSeconds: number;
  readonly purchaseResetSettleSeconds: number;

  readonly lowBalanceAlert: Cents;
  readonly alertWebhookUrl: string | undefined;

  constructor(values: AppConfigValues) {
    Object.assign(this, values);
    Object.freeze(this);
  }

  /** What JSON.stringify sees: every value, secrets masked. */
  toJSON(): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(this).map(([name, value]: [string, unknown]) => [name, SECRETS.has(name) ? mask(value) : value]),
    );
  }

  /** What util.inspect and console.log see. */
  [inspect.custom](): string {
    return `AppConfig ${inspect(this.toJSON())}`;
  }
}

// Whether an optional secret is set is worth seeing.
function mask(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(() => MASK);
  return value === undefined ? undefined : MASK;
}

import { IsOptional } from 'class-validator';
import { type Cents, NO_CENTS, parseCents } from '../money/cents.js';
import * as kinds from './variable-kinds.js';
import { Variable } from './variable.decorator.js';

/** The variables that decide which database is used: all that `migrate` and `seed` need. */
export class DatabaseEnvironment {
  /** `production` makes the defaults those of a server: HOST and the need for a DATABASE_URL. Default: unset. */
  @IsOptional()
  @Variable(kinds.text)
  NODE_ENV?: string;

  /** Set by Render on its machines; any value means production. Default: unset. */
  @IsOptional()
  @Variable(kinds.text)
  RENDER?: string;

  /** PostgreSQL connection URL. Default: unset, an embedded server; required in production. */
  @IsOptional()
  @Variable(kinds.databaseUrl)
  DATABASE_URL?: string;

  /** Whether production may use the embedded server, whose data live and die with the machine's disk. Default: false. */
  @Variable(kinds.boolean)
  ALLOW_EMBEDDED_DATABASE: boolean = false;
}

/** Every environment variable of Keyferry under its own name. Properties without initializer and IsOptional are required. */
export class Environment extends DatabaseEnvironment {
  /** TCP port to listen on, 0 to 65535; 0 takes a free one. Default: 3000. */
  @Variable(kinds.integer(0, 65535))
  PORT: number = 3000;

  /** Address to listen on. Default: 0.0.0.0 in production, otherwise 127.0.0.1. */
  @IsOptional()
  @Variable(kinds.host)
  HOST?: string;

  /** Whose X-Forwarded-For is believed: off, a number of proxies (1 to 32) or addresses and CIDR ranges. Default: off. */
  @Variable(kinds.trustProxy)
  TRUST_PROXY: kinds.TrustProxy = false;

  /** Whether to synchronize and to accept reservations; orders already paid go on regardless. Default: true. */
  @Variable(kinds.boolean)
  SERVICE_ENABLED: boolean = true;

  /** Client id that G2A presents to us; without a colon. Required. */
  @Variable(kinds.userName)
  OUR_API_CLIENT_ID: string;

  /** Secret that G2A presents to us; at least 16 characters. Required. */
  @Variable(kinds.secret(16))
  OUR_API_CLIENT_SECRET: string;

  /** Second client id, accepted while credentials are rotated; only with its secret. Default: unset. */
  @IsOptional()
  @Variable(kinds.userName)
  OUR_API_CLIENT_ID_PREVIOUS?: string;

  /** Secret of the second client id; at least 16 characters. Default: unset. */
  @IsOptional()
  @Variable(kinds.secret(16))
  OUR_API_CLIENT_SECRET_PREVIOUS?: string;

  /** User name of the admin routes; without a colon. Default: admin. */
  @Variable(kinds.userName)
  ADMIN_USERNAME: string = 'admin';

  /** Password of the admin routes. Default: unset, the routes do not exist. */
  @IsOptional()
  @Variable(kinds.secret())
  ADMIN_PASSWORD?: string;

  /** OAuth2 client id at CodesWholesale. Required. */
  @Variable(kinds.text)
  CWS_CLIENT_ID: string;

  /** OAuth2 client secret at CodesWholesale. Required. */
  @Variable(kinds.secret())
  CWS_CLIENT_SECRET: string;

  /** Value of X-Client-Signature on every CodesWholesale call, and part of what proves a post back. Required. */
  @Variable(kinds.secretHeader)
  CWS_CLIENT_SIGNATURE: string;

  /** Address of the CodesWholesale API. Default: https://api.codeswholesale.com. */
  @Variable(kinds.baseUrl)
  CWS_API_BASE_URL: string = 'https://api.codeswholesale.com';

  /** Currency of the CodesWholesale account, ISO 4217. Default: EUR. */
  @Variable(kinds.currency)
  CWS_TARGET_CURRENCY: string = 'EUR';

  /** Budget for product lists at CodesWholesale, requests per seconds. Default: 400/600s. */
  @Variable(kinds.requestRate)
  CWS_PRODUCTS_RATE: kinds.RequestRate = Object.freeze({ requests: 400, windowSeconds: 600 });

  /** Budget for single products at CodesWholesale, requests per seconds. Default: 600/300s. */
  @Variable(kinds.requestRate)
  CWS_PRODUCT_RATE: kinds.RequestRate = Object.freeze({ requests: 600, windowSeconds: 300 });

  /** Budget for orders, codes and the balance at CodesWholesale, requests per seconds: no limit is published. Default: 6000/60s. */
  @Variable(kinds.requestRate)
  CWS_ORDERS_RATE: kinds.RequestRate = Object.freeze({ requests: 6000, windowSeconds: 60 });

  /** OAuth2 client id at G2A. Required. */
  @Variable(kinds.secret())
  G2A_API_KEY: string;

  /** OAuth2 client secret at G2A. Required. */
  @Variable(kinds.secret())
  G2A_API_SECRET: string;

  /** Address of the G2A API. Default: https://api.g2a.com. */
  @Variable(kinds.baseUrl)
  G2A_API_BASE_URL: string = 'https://api.g2a.com';

  /** Budget for all calls to G2A, requests per seconds. Default: 600/60s. */
  @Variable(kinds.requestRate)
  G2A_RATE: kinds.RequestRate = Object.freeze({ requests: 600, windowSeconds: 60 });

  /** Current AES-256 key of the product keys at rest: base64 of 32 bytes. Required. */
  @Variable(kinds.encryptionKey)
  KEY_ENCRYPTION_KEY: Buffer;

  /** Former values of KEY_ENCRYPTION_KEY, comma-separated; they only decrypt, and recognize keys sold again. Default: none. */
  @Variable(kinds.encryptionKeys)
  KEY_ENCRYPTION_KEYS_OLD: Buffer[] = [];

  /** Profit per key in EUR, 0.00 or more, where the mapping names none. Required: money rules are deliberate. */
  @Variable(kinds.amount)
  DEFAULT_FIXED_PROFIT: Cents;

  /** Profit per key in percent of its cost (5 is 5 %), 0 to 1000, where the mapping names none. Default: 0. */
  @Variable(kinds.percent)
  DEFAULT_PROFIT_PERCENT: string = '0';

  /** G2A's share of a sale as a fraction (0.15 is 15 %), 0 <= x < 1, where the mapping names none. Required. */
  @Variable(kinds.fraction)
  DEFAULT_G2A_FEE_PERCENTAGE: string;

  /** G2A's fixed fee per sale in EUR. Default: 0. */
  @Variable(kinds.amount)
  DEFAULT_G2A_FEE_FIXED: Cents = NO_CENTS;

  /** Most that one order may lose in EUR when the supplier's price rose after the sale. Default: 0.00, never a loss. */
  @Variable(kinds.amount)
  MAX_LOSS_PER_ORDER: Cents = NO_CENTS;

  /** Whether G2A's price simulation is asked: off, for a sample of the offers, for all. Default: sample. */
  @Variable(kinds.oneOf('off', 'sample', 'all'))
  PRICE_SIMULATION: 'off' | 'sample' | 'all' = 'sample';

  /** Change of a supplier's price in percent, 1 to 1000, above which it is not believed. Default: 70. */
  @Variable(kinds.integer(1, 1000, 'percent'))
  MAX_PRICE_CHANGE_PERCENT: number = 70;

  /** Age in hours, 1 to 8760, above which an exchange rate is not used. Default: 24. */
  @Variable(kinds.integer(1, 8760, 'hours'))
  EXCHANGE_RATE_MAX_AGE_HOURS: number = 24;

  /** Seconds between two synchronizations, 1 to 3600. Default: 5. */
  @Variable(kinds.integer(1, 3600, 'seconds'))
  SYNC_INTERVAL_SECONDS: number = 5;

  /** Age in seconds, 1 to 86400, above which the supplier's state is too old to sell by. Default: 300. */
  @Variable(kinds.integer(1, 86_400, 'seconds'))
  STALE_AFTER_SECONDS: number = 300;

  /** Pieces held back from what the supplier has, 0 to 10000. Default: 0. */
  @Variable(kinds.integer(0, 10_000, 'pieces'))
  STOCK_BUFFER: number = 0;

  /** Most pieces that an offer shows, 1 to 10000. Default: 10000. */
  @Variable(kinds.integer(1, 10_000, 'pieces'))
  MAX_DECLARED_STOCK: number = 10_000;

  /** Pieces below which stock is low, and its changes urgent, 0 to 10000. Default: 10. */
  @Variable(kinds.integer(0, 10_000, 'pieces'))
  LOW_STOCK: number = 10;

  /** Whether an offer shows no more than the balance can pay, once that is fewer than LOW_STOCK. Default: true. */
  @Variable(kinds.boolean)
  BALANCE_LIMITS_STOCK: boolean = true;

  /** Whether a mapped product without an offer at G2A gets one. Default: false. */
  @Variable(kinds.boolean)
  CREATE_MISSING_OFFERS: boolean = false;

  /** Whether pausing first deactivates the offers. Default: true. */
  @Variable(kinds.boolean)
  PAUSE_DEACTIVATES_OFFERS: boolean = true;

  /** Seconds that a reservation holds its stock, 1 to 86400. Default: 1800. */
  @Variable(kinds.integer(1, 86_400, 'seconds'))
  RESERVATION_TTL_SECONDS: number = 1800;

  /** Age of the known stock in seconds, 0 to 3600, above which a reservation asks the supplier. Default: 10. */
  @Variable(kinds.integer(0, 3600, 'seconds'))
  RESERVATION_STOCK_MAX_AGE_SECONDS: number = 10;

  /** Seconds, 1 to 86400, for which an order that the supplier is still fulfilling is polled. Default: 420. */
  @Variable(kinds.integer(1, 86_400, 'seconds'))
  ORDER_POLL_TIMEOUT_SECONDS: number = 420;

  /** Seconds, 1 to 3600, after which nothing of an unanswered purchase can still arrive at the supplier. Default: 180. */
  @Variable(kinds.integer(1, 3600, 'seconds'))
  PURCHASE_SETTLE_SECONDS: number = 180;

  /** Seconds, 1 to 3600, the same where we reset the connection ourselves. Default: 60. */
  @Variable(kinds.integer(1, 3600, 'seconds'))
  PURCHASE_RESET_SETTLE_SECONDS: number = 60;

  /** Balance at CodesWholesale in EUR below which an alert is raised. Default: 50.00. */
  @Variable(kinds.amount)
  LOW_BALANCE_ALERT: Cents = parseCents('50.00', 'exact');

  /** Address that alerts are posted to. Default: unset, alerts are only logged and shown. */
  @IsOptional()
  @Variable(kinds.webhookUrl)
  ALERT_WEBHOOK_URL?: string;
}

import { randomBytes } from 'node:crypto';
import { FEE, PROFIT } from './demo-games.js';
import { SANDBOX_CLIENT } from './simulated-api.js';

/** Who the marketplace is to our merchant API, and who may look at the admin routes; made anew for every run. */
export interface DemoCredentials {
  readonly client: { readonly id: string; readonly secret: string };
  readonly admin: { readonly username: string; readonly password: string };
}

export function makeCredentials(): DemoCredentials {
  return {
    client: { id: 'demo-marketplace', secret: randomBytes(24).toString('hex') },
    admin: { username: 'admin', password: randomBytes(12).toString('hex') },
  };
}

/** Seconds between two synchronizations in the demo. */
export const SYNC_SECONDS = 3;

/** The app's whole configuration. */
export function appEnvironment(options: {
  databaseUrl: string;
  cwsUrl: string;
  g2aUrl: string;
  credentials: DemoCredentials;
}): Record<string, string> {
  const { databaseUrl, cwsUrl, g2aUrl, credentials } = options;
  return {
    PORT: '0',
    HOST: '127.0.0.1',
    DATABASE_URL: databaseUrl,
    OUR_API_CLIENT_ID: credentials.client.id,
    OUR_API_CLIENT_SECRET: credentials.client.secret,
    ADMIN_USERNAME: credentials.admin.username,
    ADMIN_PASSWORD: credentials.admin.password,
    CWS_API_BASE_URL: cwsUrl,
    CWS_CLIENT_ID: SANDBOX_CLIENT.id,
    CWS_CLIENT_SECRET: SANDBOX_CLIENT.secret,
    CWS_CLIENT_SIGNATURE: SANDBOX_CLIENT.signature,
    G2A_API_BASE_URL: g2aUrl,
    G2A_API_KEY: SANDBOX_CLIENT.id,
    G2A_API_SECRET: SANDBOX_CLIENT.secret,
    KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    DEFAULT_FIXED_PROFIT: PROFIT,
    DEFAULT_G2A_FEE_PERCENTAGE: FEE,
    SYNC_INTERVAL_SECONDS: String(SYNC_SECONDS),
  };
}

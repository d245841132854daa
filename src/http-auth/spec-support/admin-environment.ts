import type { AppConfig } from '../../config/app-config.js';
import { parseEnvironment } from '../../config/environment.js';

/** A whole configuration in which only the given variables matter. */
export function configWith(variables: Record<string, string>): AppConfig {
  return parseEnvironment({
    OUR_API_CLIENT_ID: 'g2a',
    OUR_API_CLIENT_SECRET: 'our-api-client-secret',
    CWS_CLIENT_ID: 'cws',
    CWS_CLIENT_SECRET: 'cws-secret',
    CWS_CLIENT_SIGNATURE: 'cws-signature',
    G2A_API_KEY: 'g2a-key',
    G2A_API_SECRET: 'g2a-secret',
    KEY_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    DEFAULT_FIXED_PROFIT: '0.50',
    DEFAULT_G2A_FEE_PERCENTAGE: '0.15',
    ...variables,
  });
}

/** The `Authorization` header of a person or program. */
export function basic(username: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

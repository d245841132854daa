import type { AppConfig } from '../../config/app-config.js';
import { safeEquals } from '../../http-auth/safe-equals.js';
import type { ClientPair } from './client-pair.js';

/** The pairs that are let in. */
export class MerchantCredentials {
  constructor(readonly pairs: readonly ClientPair[]) {}

  /** The current pair and, while credentials are rotated, the previous one. */
  static fromConfig(config: AppConfig): MerchantCredentials {
    const pairs = [{ clientId: config.ourApiClientId, clientSecret: config.ourApiClientSecret }];
    const { ourApiClientIdPrevious: clientId, ourApiClientSecretPrevious: clientSecret } = config;
    if (clientId !== undefined && clientSecret !== undefined) pairs.push({ clientId, clientSecret });
    return new MerchantCredentials(pairs);
  }

  /**
   * The known pair that was presented. The time taken tells nothing: every id and every secret is compared, whatever the
   * other comparisons gave.
   */
  find(presented: ClientPair): ClientPair | null {
    let found: ClientPair | null = null;
    for (const pair of this.pairs) {
      const isSameId = safeEquals(presented.clientId, pair.clientId);
      const isSameSecret = safeEquals(presented.clientSecret, pair.clientSecret);
      if (isSameId && isSameSecret) found = pair;
    }
    return found;
  }
}

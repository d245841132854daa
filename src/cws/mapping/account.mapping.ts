import { readCents, readObject } from '../../upstream/wire.js';
import type { SupplierAccount } from '../cws.types.js';

/** Rounded down: money that we can spend is never overstated. @throws WireShapeError */
export function readAccount(body: unknown): SupplierAccount {
  const account = readObject(body, 'body');
  return {
    currentBalance: readCents(account['currentBalance'], 'currentBalance', 'down'),
    currentCredit: readCents(account['currentCredit'], 'currentCredit', 'down'),
    totalToUse: readCents(account['totalToUse'], 'totalToUse', 'down'),
  };
}

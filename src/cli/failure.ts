import { MappingFileError } from '../catalog/mapping-file-error.js';
import { ConfigurationError } from '../config/configuration-error.js';
import { EmbeddedPostgresError } from '../database/embedded/embedded-postgres-error.js';
import { InvalidPricingTermError } from '../pricing/pricing-terms.js';
import { OrdersError } from '../orders/order-errors.js';

/** Thrown when a command cannot do what it was asked for, through no fault of the program. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandError';
  }
}

const EXPECTED = [
  CommandError,
  ConfigurationError,
  EmbeddedPostgresError,
  InvalidPricingTermError,
  MappingFileError,
  OrdersError,
];
const UNREACHABLE = /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;
/** SQLSTATE classes: connection exception, invalid authorization, unknown database, no resources, operator intervention. */
const REFUSED_BY_SERVER = /^(08|28|3D|53|57)[0-9A-Z]{3}$/;
const LOCK_NOT_AVAILABLE = '55P03';

/** What to tell a person: one message for what can happen to anybody, the stack for what must not happen. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (EXPECTED.some((type) => error instanceof type)) return error.message;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (UNREACHABLE.test(code) || REFUSED_BY_SERVER.test(code)) {
    return `The database cannot be used: ${messageOf(error)}. Look at DATABASE_URL.`;
  }
  if (code === LOCK_NOT_AVAILABLE) {
    return 'Somebody else has been changing the mappings for 30 seconds: end the open transaction and try again.';
  }
  return error.stack ?? error.message;
}

/** A name with several addresses fails with one error per address and no message of its own. */
function messageOf(error: Error): string {
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message;
  return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join(', ');
}

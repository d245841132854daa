import { Buffer } from 'node:buffer';
import { isIP } from 'node:net';
import { Big } from 'big.js';
import { type Cents, cents, formatCents, InvalidAmountError, parseCents } from '../money/cents.js';
import type { VariableKind } from './variable.decorator.js';

/** A request budget: at most `requests` in any `windowSeconds`. */
export interface RequestRate {
  readonly requests: number;
  readonly windowSeconds: number;
}

/** Whose X-Forwarded-For is believed: nobody's, that of so many hops, or that of these addresses. Fastify's `trustProxy`. */
export type TrustProxy = false | number | string[];

const MAX_AMOUNT = cents(100_000_000);
const ENCRYPTION_KEY_BYTES = 32;

/** Any text on one line. */
export const text: VariableKind<string> = {
  expected: 'a text on one line',
  isSecret: false,
  parse: (value) => (isOneLine(value) ? value : undefined),
};

/** A user name of HTTP Basic, which ends at the first colon (RFC 7617, section 2). */
export const userName: VariableKind<string> = {
  expected: 'a text on one line without a colon',
  isSecret: false,
  parse: (value) => (isOneLine(value) && !value.includes(':') ? value : undefined),
};

/** A secret on one line, at least `minLength` characters long. */
export function secret(minLength = 1): VariableKind<string> {
  return {
    expected: minLength === 1 ? 'a text on one line' : `at least ${minLength} characters on one line`,
    isSecret: true,
    parse: (value) => (isOneLine(value) && value.length >= minLength ? value : undefined),
  };
}

/** A secret that travels as an HTTP header's value, which excludes anything but printable ASCII. */
export const secretHeader: VariableKind<string> = {
  expected: 'printable ASCII characters on one line',
  isSecret: true,
  parse: (value) => (/^[\x20-\x7e]+$/.test(value) ? value : undefined),
};

/** A whole number within a range, both ends included; `unit` only words the error. */
export function integer(min: number, max: number, unit?: string): VariableKind<number> {
  return {
    expected: `a whole number ${unit === undefined ? '' : `of ${unit} `}from ${min} to ${max}`,
    isSecret: false,
    parse: (value) => {
      if (!/^\d{1,15}$/.test(value)) return undefined;
      const number = Number(value);
      return number >= min && number <= max ? number : undefined;
    },
  };
}

/** true or false, in any case; 1 and 0 mean the same. */
export const boolean: VariableKind<boolean> = {
  expected: 'true or false',
  isSecret: false,
  parse: (value) => {
    if (/^(true|1)$/i.test(value)) return true;
    return /^(false|0)$/i.test(value) ? false : undefined;
  },
};

/** One of a few words, in any case. */
export function oneOf<Word extends string>(...words: Word[]): VariableKind<Word> {
  return {
    expected: `one of ${words.join(', ')}`,
    isSecret: false,
    parse: (value) => words.find((word) => word === value.toLowerCase()),
  };
}

/** An amount of money that is not negative, with at most two decimals and a point. */
export const amount: VariableKind<Cents> = {
  expected: `an amount from 0.00 to ${formatCents(MAX_AMOUNT)} with at most two decimals and a point, such as 0.50`,
  isSecret: false,
  parse: (value) => {
    if (value.startsWith('-')) return undefined;
    try {
      const parsed = parseCents(value, 'exact');
      return parsed <= MAX_AMOUNT ? parsed : undefined;
    } catch (error) {
      if (error instanceof InvalidAmountError) return undefined;
      throw error;
    }
  },
};

/** A share of the sale price, 0 <= share < 1, as a decimal text in its shortest form. */
export const fraction: VariableKind<string> = {
  expected: 'a fraction from 0 to below 1 with at most six decimals, such as 0.15 for 15 %',
  isSecret: false,
  parse: (value) => parseDecimal(value, (decimal) => decimal.lt(1)),
};

/** A percentage from 0 to 1000, as a decimal text in its shortest form: "5" is 5 %. */
export const percent: VariableKind<string> = {
  expected: 'a percentage from 0 to 1000 with at most six decimals, such as 5 for 5 %',
  isSecret: false,
  parse: (value) => parseDecimal(value, (decimal) => decimal.lte(1000)),
};

/** A request budget written `<requests>/<seconds>s`. */
export const requestRate: VariableKind<RequestRate> = {
  expected: 'requests per seconds such as 400/600s (1 to 1000000 requests per 1 to 86400 seconds)',
  isSecret: false,
  parse: (value) => {
    const [, requestsText, windowText] = /^(\d{1,7})\/(\d{1,5})s$/.exec(value) ?? [];
    const requests = Number(requestsText);
    const windowSeconds = Number(windowText);
    const isInRange = requests >= 1 && requests <= 1_000_000 && windowSeconds >= 1 && windowSeconds <= 86_400;
    return isInRange ? Object.freeze({ requests, windowSeconds }) : undefined;
  },
};

/** An ISO 4217 code; lower case is understood. */
export const currency: VariableKind<string> = {
  expected: 'the three letters of an ISO 4217 currency, such as EUR',
  isSecret: false,
  parse: (value) => Intl.supportedValuesOf('currency').find((code) => code === value.toUpperCase()),
};

/** An http or https address that other paths are appended to: no query, no credentials; returned without a final slash. */
export const baseUrl: VariableKind<string> = {
  expected: 'an http:// or https:// address without credentials, query or fragment',
  isSecret: true,
  parse: (value) => {
    const url = parseHttpUrl(value);
    return url?.search === '' && url.hash === '' ? url.href.replace(/\/+$/, '') : undefined;
  },
};

/** An http or https address; secret because the path of a web hook is usually its password. */
export const webhookUrl: VariableKind<string> = {
  expected: 'an http:// or https:// address without credentials',
  isSecret: true,
  parse: (value) => parseHttpUrl(value)?.href,
};

/** A PostgreSQL connection URL; holds a password. */
export const databaseUrl: VariableKind<string> = {
  expected: 'postgres://user:password@host:5432/database, with special characters of the password percent-encoded',
  isSecret: true,
  parse: (value) => (/^postgres(ql)?:\/\//.test(value) && URL.canParse(value) ? value : undefined),
};

/** An address or name to listen on. */
export const host: VariableKind<string> = {
  expected: 'an IP address or a host name',
  isSecret: false,
  parse: (value) => (isIP(value) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value) ? value : undefined),
};

/** An AES-256 key in base64. */
export const encryptionKey: VariableKind<Buffer> = {
  expected: 'base64 of exactly 32 bytes (made by: openssl rand -base64 32)',
  isSecret: true,
  parse: parseEncryptionKey,
};

/** AES-256 keys in base64, separated by commas. */
export const encryptionKeys: VariableKind<Buffer[]> = {
  expected: 'a comma-separated list, each part base64 of exactly 32 bytes',
  isSecret: true,
  parse: (value) => parseList(value, parseEncryptionKey),
};

/** Whose X-Forwarded-For is believed. "true" is refused: it would believe everybody. */
export const trustProxy: VariableKind<TrustProxy> = {
  expected: 'off, a number of proxies from 1 to 32, or a comma-separated list of addresses such as 10.0.0.0/8',
  isSecret: false,
  parse: (value) => {
    if (value.toLowerCase() === 'off') return false;
    return integer(1, 32).parse(value) ?? parseList(value, (part) => (isAddressOrRange(part) ? part : undefined));
  },
};

function isOneLine(value: string): boolean {
  return !/\p{Cc}/u.test(value);
}

function parseDecimal(value: string, isInRange: (decimal: Big) => boolean): string | undefined {
  if (!/^\d{1,6}(\.\d{1,6})?$/.test(value)) return undefined;
  const decimal = new Big(value);
  return isInRange(decimal) ? decimal.toFixed() : undefined;
}

function parseHttpUrl(value: string): URL | undefined {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  return url.username === '' && url.password === '' ? url : undefined;
}

function parseEncryptionKey(value: string): Buffer | undefined {
  const key = Buffer.from(value, 'base64');
  // Node skips what is not base64; encoding again shows whether it skipped anything.
  return key.length === ENCRYPTION_KEY_BYTES && key.toString('base64') === value ? key : undefined;
}

function parseList<T>(value: string, parsePart: (part: string) => T | undefined): T[] | undefined {
  const parts: T[] = [];
  for (const part of value.split(',')) {
    const parsed = parsePart(part.trim());
    if (parsed === undefined) return undefined;
    parts.push(parsed);
  }
  Object.freeze(parts);
  return parts;
}

function isAddressOrRange(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || integer(0, version === 4 ? 32 : 128).parse(bits) !== undefined;
}

import { type CentRounding, type Cents, InvalidAmountError, parseCents, cents } from '../money/cents.js';

/** Wire JSON has a shape that we do not understand. Names the field and never its value, which may be a key. */
export class WireShapeError extends Error {
  constructor(
    readonly field: string,
    expectation: string,
  ) {
    super(`${field} ${expectation}`);
    this.name = 'WireShapeError';
  }
}

export type WireObject = Readonly<Record<string, unknown>>;

export function isWireObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function readObject(value: unknown, field: string): WireObject {
  if (!isWireObject(value)) throw new WireShapeError(field, 'is not an object');
  return value;
}

export function readArray(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new WireShapeError(field, 'is not an array');
  return value;
}

/** A text that is not empty. */
export function readText(value: unknown, field: string): string {
  // PostgreSQL cannot hold a NUL.
  if (typeof value !== 'string' || value === '' || value.includes('\0'))
    throw new WireShapeError(field, 'is not a text');
  return value;
}

/** A text; null when it is absent, null or empty. */
export function readOptionalText(value: unknown, field: string): string | null {
  return value === undefined || value === null || value === '' ? null : readText(value, field);
}

/** A whole number from 0 to 2^53 - 1. */
export function readWholeNumber(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new WireShapeError(field, 'is not a whole number of 0 or more');
  }
  return value;
}

/** The largest number of pieces that we store: PostgreSQL's integer. No supplier has so many keys. */
const LARGEST_COUNT = 2_147_483_647;

/** A whole number from 0 to 2^31 - 1. */
export function readCount(value: unknown, field: string): number {
  const count = readWholeNumber(value, field);
  if (count > LARGEST_COUNT) throw new WireShapeError(field, 'is implausibly high');
  return count;
}

/** A million: no key costs that much, and what is computed from it must stay within what we store. */
const LARGEST_PRICE = cents(100_000_000);

/** A price: an amount up to a million. */
export function readPlausiblePrice(value: unknown, field: string, rounding: CentRounding): Cents {
  const price = readCents(value, field, rounding);
  if (Math.abs(price) > LARGEST_PRICE) throw new WireShapeError(field, 'is implausibly high');
  return price;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether this is a UUID, in any case. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

/** A UUID, in lower case. */
export function readUuid(value: unknown, field: string): string {
  if (!isUuid(value)) throw new WireShapeError(field, 'is not a UUID');
  return value.toLowerCase();
}

/** An amount as a JSON number or a decimal text. */
export function readCents(value: unknown, field: string, rounding: CentRounding): Cents {
  if (typeof value !== 'number' && typeof value !== 'string') throw new WireShapeError(field, 'is not an amount');
  try {
    return parseCents(value, rounding);
  } catch (error) {
    if (error instanceof InvalidAmountError) throw new WireShapeError(field, 'is not an amount');
    throw error;
  }
}

const ISO_DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?$/;

/** An ISO 8601 date, with or without a time; without a zone it is UTC. Null for anything else. */
export function parseIsoDate(value: unknown): Date | null {
  if (typeof value !== 'string') return null;
  const match = ISO_DATE.exec(value);
  if (match === null) return null;
  // JavaScript reads a date alone as UTC, but a date and time without zone as local.
  const hasTime = value.length > 10;
  const date = new Date(hasTime && match[1] === undefined ? `${value}Z` : value);
  return Number.isNaN(date.getTime()) ? null : date;
}

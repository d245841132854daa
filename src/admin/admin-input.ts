import { BadRequestException } from '@nestjs/common';
import { ORDER_STATES, type OrderState } from '../orders/order-state.rules.js';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;
const MAX_REASON_LENGTH = 500;
const MAX_SUBJECT_LENGTH = 64;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** How many rows to answer: 1 to 500, 50 when not given. */
export function readLimit(value: unknown): number {
  if (value === undefined) return DEFAULT_LIMIT;
  return readWholeNumber('limit', value, MAX_LIMIT);
}

/** A G2A product id: 1 to 2^53 - 1. */
export function readG2aProductId(value: unknown): number {
  return readWholeNumber('g2aProductId', value, Number.MAX_SAFE_INTEGER);
}

export function readOrderState(value: unknown): OrderState | null {
  if (value === undefined) return null;
  const state = ORDER_STATES.find((known) => known === value);
  if (state === undefined) throw invalid('state', `one of ${ORDER_STATES.join(', ')}`);
  return state;
}

export function readOrderId(value: unknown): string {
  if (typeof value !== 'string' || !UUID.test(value)) throw invalid('id', 'a UUID');
  return value;
}

/** `subjectType` or `subjectId` of the audit log. */
export function readSubject(field: 'subjectType' | 'subjectId', value: unknown): string | null {
  return readOptionalText(field, value, MAX_SUBJECT_LENGTH);
}

/** The `reason` of a pause, in a JSON object that may be missing as a whole. */
export function readPauseReason(body: unknown): string | null {
  if (body === undefined || body === null) return null;
  if (typeof body !== 'object') throw invalid('body', 'a JSON object');
  return readOptionalText('reason', 'reason' in body ? body.reason : undefined, MAX_REASON_LENGTH);
}

function readOptionalText(field: string, value: unknown, maxLength: number): string | null {
  if (value === undefined || value === null || value === '') return null;
  // PostgreSQL cannot store a NUL character.
  if (typeof value !== 'string' || value.length > maxLength || value.includes('\0')) {
    throw invalid(field, `a text of at most ${maxLength} characters`);
  }
  return value;
}

function readWholeNumber(field: string, value: unknown, max: number): number {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : 0;
  if (number < 1 || number > max) throw invalid(field, `a whole number from 1 to ${max}`);
  return number;
}

function invalid(field: string, expected: string): BadRequestException {
  return new BadRequestException({ code: 'invalid_request', message: `${field}: expected ${expected}` });
}

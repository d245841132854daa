import { BadRequestException } from '@nestjs/common';
import { type Resolution, RESOLUTION_STATES } from '../orders/order-state.rules.js';
import { parseDay, windowOfDays } from '../orders/sales-export-texts.js';

const MAX_NOTE_LENGTH = 500;
const PURCHASE_REFERENCE = /^[\w-]{1,64}$/;
const RESOLUTIONS = Object.keys(RESOLUTION_STATES) as Resolution[];

/** What a person has decided about an order. */
export interface ResolutionBody {
  readonly resolution: Resolution;
  readonly note: string;
  readonly isDryRun: boolean;
}

/** `{"resolution": "refunded", "note": "what was done", "dryRun": false}`; `dryRun` may be missing. @throws BadRequestException */
export function readResolution(body: unknown): ResolutionBody {
  if (typeof body !== 'object' || body === null) throw invalid('body', 'a JSON object');
  const given: Readonly<Record<string, unknown>> = { ...body };
  const resolution = RESOLUTIONS.find((known) => known === given['resolution']);
  if (resolution === undefined) throw invalid('resolution', `one of ${RESOLUTIONS.join(', ')}`);
  const note = typeof given['note'] === 'string' ? given['note'].trim() : '';
  // PostgreSQL cannot store a NUL character.
  if (note === '' || note.length > MAX_NOTE_LENGTH || note.includes('\0')) {
    throw invalid('note', `a text of 1 to ${MAX_NOTE_LENGTH} characters`);
  }
  const dryRun = given['dryRun'] ?? false;
  if (typeof dryRun !== 'boolean') throw invalid('dryRun', 'true or false');
  return { resolution, note, isDryRun: dryRun };
}

/** `{"giveUp": ["a purchase's id or client order id"]}`, which may be missing as a whole. @throws BadRequestException */
export function readGiveUp(body: unknown): string[] {
  if (body === undefined || body === null) return [];
  if (typeof body !== 'object') throw invalid('body', 'a JSON object');
  const given: unknown = 'giveUp' in body ? body.giveUp : [];
  const references: readonly unknown[] | null = Array.isArray(given) ? given : null;
  if (references?.every(isPurchaseReference) !== true) {
    throw invalid('giveUp', 'a list of ids or client order ids of purchases');
  }
  return [...references];
}

/** The days `from` and `to` of an export, both included, UTC. @throws BadRequestException */
export function readExportWindow(from: unknown, to: unknown): { from: Date; to: Date } {
  const first = readDay('from', from);
  const last = readDay('to', to);
  if (last < first) throw invalid('to', 'a day that is not before `from`');
  return windowOfDays(first, last);
}

/** `csv`, also when nothing is said, or `json`. @throws BadRequestException */
export function readExportFormat(format: unknown): 'csv' | 'json' {
  if (format === undefined || format === 'csv') return 'csv';
  if (format === 'json') return 'json';
  throw invalid('format', 'csv or json');
}

function isPurchaseReference(value: unknown): value is string {
  return typeof value === 'string' && PURCHASE_REFERENCE.test(value);
}

function readDay(field: string, value: unknown): Date {
  const day = typeof value === 'string' ? parseDay(value) : null;
  if (day === null) throw invalid(field, 'a day such as 2026-11-01');
  return day;
}

function invalid(field: string, expected: string): BadRequestException {
  return new BadRequestException({ code: 'invalid_request', message: `${field}: expected ${expected}` });
}

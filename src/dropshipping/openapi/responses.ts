import { STATUS_CODES } from 'node:http';
import type { HeadersObject, ReferenceObject, ResponseObject, ResponsesObject, SchemaObject } from '@nestjs/swagger';
import { ref } from './schemas.js';

/** Error codes by status. */
export type Refusals = Readonly<Partial<Record<number, readonly string[]>>>;

/** Of every route that needs credentials. */
const FOR_ALL: Refusals = {
  401: ['unauthorized'],
  429: ['too_many_failed_attempts'],
  500: ['internal_error'],
};
/** Of every route whose body is read. */
const FOR_BODIES: Refusals = {
  400: ['invalid_request', 'malformed_body'],
  413: ['body_too_large'],
  415: ['unsupported_media_type'],
};

const HEADERS: Readonly<Partial<Record<number, HeadersObject>>> = {
  401: { 'WWW-Authenticate': required('The schemes that are understood: Bearer and Basic.') },
  429: { 'Retry-After': required('Seconds.') },
  503: { 'Retry-After': required('Seconds.') },
};

export function json(description: string, schema: ReferenceObject, headers?: HeadersObject): ResponseObject {
  return { description, ...(headers && { headers }), content: { 'application/json': { schema } } };
}

export function noContent(description: string): ResponseObject {
  return { description };
}

/** For answers with keys or tokens in them. */
export const NO_STORE: HeadersObject = {
  'Cache-Control': { ...required('No proxy on the way keeps this.'), schema: { type: 'string', enum: ['no-store'] } },
};

/** The refusals of a route without a body: its own and those that every route has. */
export function refusals(own: Refusals): ResponsesObject {
  return responses(merged(FOR_ALL, own), ref('Error'));
}

/** The refusals of a route whose body is read. */
export function refusalsWithBody(own: Refusals): ResponsesObject {
  return responses(merged(FOR_ALL, FOR_BODIES, own), ref('Error'));
}

/** The refusals of the token route, which RFC 6749 shapes too. */
export function tokenRefusals(hasBody: boolean): ResponsesObject {
  const own: Refusals = { 400: ['unsupported_grant_type'] };
  return responses(hasBody ? merged(FOR_ALL, FOR_BODIES, own) : merged(FOR_ALL, own), ref('TokenError'));
}

/** One refusal whose body is none of the usual. */
export function refusal(status: number, codes: readonly string[], body: ReferenceObject): ResponseObject {
  const schema: SchemaObject = { allOf: [body, { type: 'object', properties: { code: { enum: [...codes] } } }] };
  const headers = HEADERS[status];
  return {
    description: STATUS_CODES[status] ?? String(status),
    ...(headers && { headers }),
    content: { 'application/json': { schema } },
  };
}

function responses(codesByStatus: Refusals, body: ReferenceObject): ResponsesObject {
  return Object.fromEntries(
    Object.entries(codesByStatus).map(([status, codes]) => [status, refusal(Number(status), codes ?? [], body)]),
  );
}

function merged(...parts: readonly Refusals[]): Refusals {
  const all: Partial<Record<number, string[]>> = {};
  for (const part of parts) {
    for (const [status, codes] of Object.entries(part)) (all[Number(status)] ??= []).push(...(codes ?? []));
  }
  return all;
}

function required(description: string) {
  return { description, required: true, schema: { type: 'string' } };
}

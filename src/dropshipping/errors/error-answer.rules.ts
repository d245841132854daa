import { STATUS_CODES } from 'node:http';
import { HttpException, HttpStatus } from '@nestjs/common';
import { OrderExistsError, OrdersError } from '../../orders/order-errors.js';
import { BODY_LIMIT_BYTES } from '../body-limit.js';
import { HttpError } from './http-error.js';

/** What a caller gets to see of a failure. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: { readonly code: string; readonly message: string; readonly [field: string]: string };
  readonly headers: Readonly<Record<string, string | string[]>>;
}

/** Codes of failures that name none themselves: those of the framework, by their status. */
const CODE_BY_STATUS: Readonly<Partial<Record<number, string>>> = {
  [HttpStatus.BAD_REQUEST]: 'invalid_request',
  [HttpStatus.UNAUTHORIZED]: 'unauthorized',
  [HttpStatus.FORBIDDEN]: 'forbidden',
  [HttpStatus.NOT_FOUND]: 'not_found',
  [HttpStatus.CONFLICT]: 'conflict',
  [HttpStatus.PAYLOAD_TOO_LARGE]: 'body_too_large',
  [HttpStatus.UNSUPPORTED_MEDIA_TYPE]: 'unsupported_media_type',
  [HttpStatus.TOO_MANY_REQUESTS]: 'too_many_requests',
  [HttpStatus.SERVICE_UNAVAILABLE]: 'unavailable',
};

/** What is wrong, and what is right instead. */
const REASON_BY_CODE: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: `the body is larger than ${BODY_LIMIT_BYTES / 1024} KiB`,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'the Content-Type is not one that this route reads: send application/json',
  FST_ERR_BAD_URL: 'the path is not percent-encoded as it should be',
};

const MALFORMED_BODY: ReadonlySet<unknown> = new Set([
  'FST_ERR_CTP_INVALID_JSON_BODY',
  'FST_ERR_CTP_INVALID_CONTENT_LENGTH',
  // The connection broke in the middle of the body.
  'ECONNRESET',
]);

/** The RFC 6749 (section 5.2) name of what went wrong on the token route; what is not listed is an `invalid_request`. */
const OAUTH_ERROR_BY_CODE: Readonly<Partial<Record<string, string>>> = {
  unauthorized: 'invalid_client',
  too_many_failed_attempts: 'invalid_client',
  unsupported_grant_type: 'unsupported_grant_type',
  internal_error: 'server_error',
};

/** The answer to a thrown value; undefined when it is none of the known kinds, so a fault of ours. */
export function knownErrorAnswer(error: unknown): ErrorAnswer | undefined {
  if (error instanceof OrdersError) return ordersErrorAnswer(error);
  if (error instanceof HttpException) {
    return frameworkErrorAnswer(error.cause) ?? httpExceptionAnswer(error);
  }
  return frameworkErrorAnswer(error);
}

export function internalErrorAnswer(): ErrorAnswer {
  return answer(HttpStatus.INTERNAL_SERVER_ERROR, 'internal_error', 'something went wrong on our side');
}

/** @param allowedMethods those that the path does have; with none there is no such path. */
export function unknownRouteAnswer(allowedMethods: readonly string[]): ErrorAnswer {
  if (allowedMethods.length === 0) return answer(HttpStatus.NOT_FOUND, 'route_not_found', 'no such route');
  const Allow = allowedMethods.join(', ');
  return answer(HttpStatus.METHOD_NOT_ALLOWED, 'method_not_allowed', `this route has ${Allow}`, { Allow });
}

/** The same answer with what RFC 6749 demands of the token route. */
export function asTokenRouteAnswer({ status, body, headers }: ErrorAnswer): ErrorAnswer {
  return {
    status,
    body: { ...body, error: OAUTH_ERROR_BY_CODE[body.code] ?? 'invalid_request', error_description: body.message },
    headers: { ...headers, 'Cache-Control': 'no-store' },
  };
}

function ordersErrorAnswer(error: OrdersError): ErrorAnswer {
  const { status, body } = answer(error.status, error.code, error.message);
  const orderId = error instanceof OrderExistsError ? error.orderId : undefined;
  return {
    status,
    body: orderId === undefined ? body : { ...body, order_id: orderId },
    headers: error.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(error.retryAfterSeconds) },
  };
}

/**
 * Other modules name a code by throwing `new NotFoundException({ code, message })`. Nest's own exceptions have none, and
 * their message is shown only below 500.
 */
function httpExceptionAnswer(exception: HttpException): ErrorAnswer {
  const status = exception.getStatus();
  const response = exception.getResponse();
  const headers = exception instanceof HttpError ? exception.headers : {};
  if (typeof response === 'object' && 'code' in response && typeof response.code === 'string') {
    return answer(status, response.code, exception.message, headers);
  }
  return answer(status, codeOfStatus(status), status < 500 ? messageOf(response, status) : reasonOf(status), headers);
}

/** Fastify's messages are replaced: some quote the URL, whose query may hold a secret. */
function frameworkErrorAnswer(error: unknown): ErrorAnswer | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('statusCode' in error)) return undefined;
  const { code, statusCode } = error;
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode >= 500) return undefined;
  if (MALFORMED_BODY.has(code)) return answer(statusCode, 'malformed_body', 'the body could not be read');
  if (typeof code !== 'string' || !code.startsWith('FST_')) return undefined;
  return answer(statusCode, codeOfStatus(statusCode), REASON_BY_CODE[code] ?? reasonOf(statusCode));
}

function messageOf(response: string | object, status: number): string {
  const message: unknown = typeof response === 'string' || !('message' in response) ? response : response.message;
  if (typeof message === 'string') return message;
  return Array.isArray(message) ? message.join('; ') : reasonOf(status);
}

function codeOfStatus(status: number): string {
  return CODE_BY_STATUS[status] ?? (status < 500 ? 'invalid_request' : 'internal_error');
}

function reasonOf(status: number): string {
  return (STATUS_CODES[status] ?? 'Error').toLowerCase();
}

function answer(status: number, code: string, message: string, headers: ErrorAnswer['headers'] = {}): ErrorAnswer {
  return { status, body: { code, message }, headers };
}

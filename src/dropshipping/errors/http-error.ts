import { HttpException, HttpStatus } from '@nestjs/common';

/** An answer other than success, with its stable code. The message reaches the caller: nothing secret in it. */
export class HttpError extends HttpException {
  constructor(
    status: HttpStatus,
    code: string,
    message: string,
    readonly headers: Readonly<Record<string, string | string[]>> = {},
  ) {
    super({ code, message }, status);
  }
}

export function invalidRequest(problems: string): HttpError {
  return new HttpError(HttpStatus.BAD_REQUEST, 'invalid_request', problems);
}

/** One answer for a missing, unknown, wrong or expired credential: which of them it was helps only a guesser. */
export function unauthorized(): HttpError {
  return new HttpError(
    HttpStatus.UNAUTHORIZED,
    'unauthorized',
    'a valid access token or client id and secret are needed',
    {
      'WWW-Authenticate': ['Bearer realm="keyferry"', 'Basic realm="keyferry", charset="UTF-8"'],
    },
  );
}

export function tooManyFailedAttempts(retryAfterSeconds: number): HttpError {
  return new HttpError(
    HttpStatus.TOO_MANY_REQUESTS,
    'too_many_failed_attempts',
    'too many wrong client ids or secrets from this address',
    { 'Retry-After': String(retryAfterSeconds) },
  );
}

export function unsupportedGrantType(): HttpError {
  return new HttpError(HttpStatus.BAD_REQUEST, 'unsupported_grant_type', 'grant_type must be client_credentials');
}

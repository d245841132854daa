/** An error answer on its way out; each server renders it in its own format. */
export class HttpFault extends Error {
  constructor(
    readonly status: number,
    readonly code: string | number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** Any thrown value as a fault: Fastify's own errors keep their status, everything else is a 500. */
export function toFault(error: unknown): HttpFault {
  if (error instanceof HttpFault) return error;
  const message = error instanceof Error ? error.message : String(error);
  const status =
    error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
  return new HttpFault(status, status, message);
}

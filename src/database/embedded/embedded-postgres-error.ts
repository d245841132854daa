/** Thrown when the embedded PostgreSQL cannot be used. Its message is fit to be printed: it names the way out, never the password. */
export class EmbeddedPostgresError extends Error {
  readonly code = 'EMBEDDED_POSTGRES_UNAVAILABLE';

  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `The embedded PostgreSQL cannot be used: ${reason.trim()}\nTo use a PostgreSQL server of your own, set DATABASE_URL.`,
      { cause },
    );
    this.name = 'EmbeddedPostgresError';
  }
}

/** Whether a failed file or process call failed with this code, such as EEXIST. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

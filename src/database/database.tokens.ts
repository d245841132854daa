/** Injection token: the PostgreSQL connection URL (string) that this process uses, embedded or given. Contains a password: never log it. */
export const DATABASE_URL = Symbol('DATABASE_URL');

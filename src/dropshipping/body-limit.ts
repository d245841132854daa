/** Most bytes of a body; more is a 413. */
export const BODY_LIMIT_BYTES = 64 * 1024;

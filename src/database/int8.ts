import pg from 'pg';

/**
 * Type parsers for every connection of ours: int8 becomes a number when it is exact and an error when it is not, so that an
 * id beyond 2^53 is refused instead of silently becoming its neighbor (pg's own choice is a string for all of them).
 */
export const exactTypes = new pg.TypeOverrides();
exactTypes.setTypeParser(pg.types.builtins.INT8, parseInt8);

/** @throws RangeError for an integer that a JavaScript number cannot hold exactly. */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`the database holds an int8 beyond 2^53: ${text}`);
  return value;
}

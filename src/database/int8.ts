import pg from 'pg';

const INT8_OID = 20;

/**
 * Type parsers for every connection of ours: int8 becomes a number when it is exact and an error when it is not, so that an
 * id beyond 2^53 is refused instead of silently becoming its neighbor (pg's own choice is a string for all of them).
 */
export const exactTypes = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
    if (oid === INT8_OID && format !== 'binary') return parseInt8;
    return pg.types.getTypeParser(oid, format as 'text') as (value: string) => unknown;
  },
};

/** @throws RangeError for an integer that a JavaScript number cannot hold exactly. */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`the database holds an int8 beyond 2^53: ${text}`);
  return value;
}

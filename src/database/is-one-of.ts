/**
 * The end of a condition on one of a list of values, `$1`, and that parameter. A single value, by far the most common list, is
 * compared by itself: of an array PostgreSQL does not know the length beforehand, so it plans a prepared statement anew for
 * each, and for the joins behind a reservation that costs more than running them.
 */
export function isOneOf<T>(values: readonly T[]): { condition: '= $1' | '= ANY ($1)'; parameter: T | readonly T[] } {
  const [only, ...others] = values;
  return only !== undefined && others.length === 0
    ? { condition: '= $1', parameter: only }
    : { condition: '= ANY ($1)', parameter: values };
}

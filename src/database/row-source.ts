/**
 * Rows to insert, as parameters from `$first` on: one array per column or, of a single row, by far the most common number, its
 * values. Those PostgreSQL need neither read from the text of an array nor take apart.
 * @param types of the columns.
 */
export function rowSource(types: readonly string[], first: number, isOne: boolean): string {
  const parameters = types.map((type, index) => `$${first + index}::${type}${isOne ? '' : '[]'}`).join(', ');
  return isOne ? `(VALUES (${parameters}))` : `unnest(${parameters})`;
}

import { statementName } from './prepared-statements.js';

describe('the name of a prepared statement', () => {
  it('is the same for the same text and another for another text', () => {
    expect(statementName('SELECT $1::integer')).toBe(statementName('SELECT $1::integer'));
    expect(statementName('SELECT $1::integer')).not.toBe(statementName('SELECT $1::text'));
  });

  it('fits into what PostgreSQL tells apart, however long the text', () => {
    expect(statementName(`SELECT $1::integer ${'-- '.repeat(1_000)}`)).toHaveLength(35);
  });

  it('is not given to texts without end', () => {
    const given = Array.from({ length: 1_000 }, (_, index) => statementName(`SELECT ${index} + $1::integer`));
    expect(given.filter((name) => name !== undefined).length).toBeLessThan(300);
    expect(given.at(-1)).toBeUndefined();
  });
});

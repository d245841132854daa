import { csvTable, textTable } from './text-table.js';

describe('a table for people', () => {
  it('has its columns below each other, amounts by their ends, and no spaces at the ends of lines', () => {
    const rows = [
      ['step', 'EUR', 'note'],
      ['cost', '6.32', ''],
      ['income', '16.82', 'after fees'],
    ];
    expect(textTable(rows, [1])).toEqual(['step      EUR  note', 'cost     6.32', 'income  16.82  after fees']);
  });
});

describe('a table for spreadsheets', () => {
  it('quotes what would end a value or a row', () => {
    expect(csvTable([['a', 'b,c', 'say "no"', 'two\nlines'], ['1']])).toBe('a,"b,c","say ""no""","two\nlines"\r\n1');
  });
});

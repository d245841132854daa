import pg from 'pg';
import { exactTypes, parseInt8 } from './int8.js';

const INT8_OID = 20;

describe('int8 from the database', () => {
  it('is a number up to 2^53 - 1', () => {
    expect(parseInt8('9007199254740991')).toBe(9007199254740991);
    expect(parseInt8('-10000008939005')).toBe(-10000008939005);
  });

  it('is refused beyond, where a number would be another id', () => {
    expect(() => parseInt8('9007199254740993')).toThrow(RangeError);
  });

  it('is read so on our connections and left alone on others', () => {
    const ours = exactTypes.getTypeParser(INT8_OID) as (text: string) => unknown;
    const others = new pg.TypeOverrides().getTypeParser(INT8_OID) as (text: string) => unknown;
    expect(ours('42')).toBe(42);
    expect(others('42')).toBe('42');
  });
});

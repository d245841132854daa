import { parseInt8 } from './int8.js';

describe('int8 from the database', () => {
  it('is a number up to 2^53 - 1', () => {
    expect(parseInt8('9007199254740991')).toBe(9007199254740991);
    expect(parseInt8('-10000008939005')).toBe(-10000008939005);
  });

  it('is refused beyond, where a number would be another id', () => {
    expect(() => parseInt8('9007199254740993')).toThrow(RangeError);
  });
});

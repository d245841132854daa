import { describeAge, describeList } from './order-texts.js';

describe('the age of an order', () => {
  it.each([
    [5.9, '5 s'],
    [75, '1 min'],
    [3_600, '1 h 0 min'],
    [100_000, '27 h 46 min'],
    [400_000, '4 d 15 h'],
  ])('of %d s is %s', (seconds, text) => {
    expect(describeAge(seconds)).toBe(text);
  });
});

describe('an empty list', () => {
  it('says so', () => {
    expect(describeList([])).toEqual(['none']);
  });
});

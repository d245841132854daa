import { cents } from '../money/cents.js';
import { payableKeys, sizeWithinBalance } from './payable-keys.rules.js';

describe('the keys that the account can pay', () => {
  it('are as many whole ones as the balance covers', () => {
    expect(payableKeys(cents(1896), cents(632))).toBe(3);
    expect(payableKeys(cents(1895), cents(632))).toBe(2);
    expect(payableKeys(cents(631), cents(632))).toBe(0);
  });

  it('are none when more is spoken for than there is', () => {
    expect(payableKeys(cents(-5000), cents(632))).toBe(0);
  });

  it('are not limited by a balance that is not known, nor by a cost that is no price', () => {
    expect(payableKeys(null, cents(632))).toBe(Infinity);
    expect(payableKeys(cents(0), cents(0))).toBe(Infinity);
  });
});

describe('the declared stock', () => {
  it('follows the balance only where fewer than LOW_STOCK keys can be paid', () => {
    expect(sizeWithinBalance(200, 10, 10)).toBe(200);
    expect(sizeWithinBalance(200, 9, 10)).toBe(9);
    expect(sizeWithinBalance(200, 0, 10)).toBe(0);
    expect(sizeWithinBalance(200, Infinity, 10)).toBe(200);
  });

  it('is never more than what there is', () => {
    expect(sizeWithinBalance(3, 9, 10)).toBe(3);
  });

  it('is never limited where LOW_STOCK is 0', () => {
    expect(sizeWithinBalance(200, 0, 0)).toBe(200);
  });
});

import { cents } from './cents.js';
import { formatPriceBands } from './price-band.js';

describe('price bands for people', () => {
  it('name each price with its quantities', () => {
    const bands = [
      { fromQuantity: 1, toQuantity: 9, unitPrice: cents(632) },
      { fromQuantity: 10, toQuantity: null, unitPrice: cents(590) },
    ];
    expect(formatPriceBands(bands)).toBe('6.32 (1 to 9), 5.90 (from 10)');
  });

  it('say so where there is none', () => {
    expect(formatPriceBands([])).toBe('no price');
  });
});

import { cents } from '../money/cents.js';
import { missingKeysText } from './missing-keys-text.rules.js';

describe('what a person reads of keys that were not bought in time', () => {
  const keys = {
    g2aProductId: 7,
    quantity: 2,
    missing: 1,
    obstacle: null,
    lastFailure: null,
    priceAsked: cents(640),
    saleIncome: cents(600),
  };

  it('has the price asked and what the sale leaves', () => {
    expect(missingKeysText(keys)).toBe(
      'product 7: 1 of 2 keys could not be bought in time: the cheapest supplier in stock asks 6.40 EUR, the sale leaves 6.00 EUR',
    );
  });

  it('has what kept purchases from being made, and how the last one ended', () => {
    expect(missingKeysText({ ...keys, obstacle: 'buying is held up', lastFailure: 'HTTP 400', priceAsked: null })).toBe(
      'product 7: 1 of 2 keys could not be bought in time: buying is held up; no supplier has stock; last try: HTTP 400',
    );
    expect(missingKeysText({ ...keys, priceAsked: undefined })).toContain('no exchange rate is known');
  });
});

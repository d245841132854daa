import { cents } from '../money/cents.js';
import { missingKeysText, openPurchaseText } from './attention-reason.rules.js';

describe('what a person reads of keys that were not bought in time', () => {
  const keys = {
    g2aProductId: 7,
    quantity: 2,
    missing: 1,
    obstacle: null,
    failure: null,
    priceAsked: cents(640),
    saleIncome: cents(600),
  };

  it('has the price asked and what the sale leaves', () => {
    expect(missingKeysText(keys)).toBe(
      'product 7: 1 of 2 keys could not be bought in time: the cheapest supplier in stock asks 6.40 EUR, the sale leaves 6.00 EUR',
    );
  });

  it('has what kept purchases from being made, and how the last one ended', () => {
    expect(missingKeysText({ ...keys, obstacle: 'buying is held up', failure: 'HTTP 400', priceAsked: null })).toBe(
      'product 7: 1 of 2 keys could not be bought in time: buying is held up; no supplier has stock; last try: HTTP 400',
    );
    expect(missingKeysText({ ...keys, priceAsked: undefined })).toContain('no exchange rate is known');
    expect(missingKeysText({ ...keys, quantity: 1 })).toContain('product 7: 1 of 1 key could not be bought');
  });
});

describe('what a person reads of a purchase that has not brought its keys', () => {
  const purchase = {
    clientOrderId: 'KF-1',
    state: 'unknown' as const,
    sendCount: 2,
    isPastDeadline: false,
    awaitedPreorders: 0,
    failure: 'CWS does not know the order',
  };

  it('is that nobody knows its outcome, also after the deadline', () => {
    const text =
      'purchase KF-1 has no known outcome (CWS does not know the order), sent 2 times; nothing is bought again on a guess';
    expect(openPurchaseText(purchase)).toBe(text);
    expect(openPurchaseText({ ...purchase, isPastDeadline: true })).toBe(text);
    expect(openPurchaseText({ ...purchase, state: 'intended', sendCount: 1, failure: null })).toBe(
      'purchase KF-1 has no known outcome, sent once; nothing is bought again on a guess',
    );
  });

  it('is that CWS could not be asked, when the last look-up failed and not the purchase itself', () => {
    const failed = (failure: string) => openPurchaseText({ ...purchase, failure });
    expect(failed('cws GET /v3/orders/{id}: HTTP 500')).toContain(
      '(the last look-up failed: cws GET /v3/orders/{id}: HTTP 500)',
    );
    expect(failed('cws POST /v3/orders: no answer')).toContain('(cws POST /v3/orders: no answer)');
  });

  it('is that it is late, of one that CWS has accepted', () => {
    const accepted = { ...purchase, state: 'fulfilling' as const, failure: null };
    expect(openPurchaseText(accepted)).toBe('purchase KF-1 has no key yet');
    const late = { ...accepted, isPastDeadline: true };
    expect(openPurchaseText(late)).toBe('purchase KF-1 has no key by the deadline');
    expect(openPurchaseText({ ...late, awaitedPreorders: 1 })).toBe(
      'purchase KF-1 has no key by the deadline (CWS sold a pre-order)',
    );
  });
});

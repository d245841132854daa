import { cents } from '../money/cents.js';
import { lowBalanceText, refusedPurchaseText } from './balance-texts.rules.js';

describe('the alert of little money', () => {
  it('names the amount in euros beside that in the account’s currency', () => {
    const text = lowBalanceText({
      totalToUse: cents(1000),
      committed: cents(250),
      currency: 'GBP',
      totalInEuro: cents(1170),
      limitInEuro: cents(5000),
    });
    expect(text).toContain('has 10.00 GBP (11.70 EUR) to use, less than 50.00 EUR');
    expect(text).toContain('need 2.50 GBP of it');
  });
});

describe('the alert of a refused purchase', () => {
  const refused = { quantity: 2, priceCap: cents(632), currency: 'EUR', owed: cents(1264) };

  it('says how much is missing for all that is owed', () => {
    expect(refusedPurchaseText({ ...refused, totalToUse: cents(1000) })).toContain(
      '2 x 6.32 EUR could not be paid; paid orders need 12.64 EUR, the CWS account has 10.00 to use: 2.64 EUR are missing',
    );
  });

  it('says that nothing is missing any more when money came in meanwhile', () => {
    expect(refusedPurchaseText({ ...refused, totalToUse: cents(2000) })).toContain('0.00 EUR are missing');
  });

  it('names no amount that is not known', () => {
    expect(refusedPurchaseText({ ...refused, totalToUse: null })).toContain(
      'how much the CWS account has is not known',
    );
  });
});

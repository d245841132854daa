import { cents } from '../money/cents.js';
import { EURO, parseExchangeRate } from '../pricing/exchange-rate.rules.js';
import { supplierOffers } from './mapping-terms.js';

const band = (unitPrice: number) => ({ fromQuantity: 1, toQuantity: null, unitPrice: cents(unitPrice) });
const SUPPLIER = {
  cwsProductId: 'a',
  bands: [band(540)],
  unconfirmedBands: null,
  available: 3,
  freshAsOf: 0,
  requestedAt: 0,
};
const GBP = parseExchangeRate({ currency: 'GBP', rate: '1.17', marginPercent: '2' });

describe('the suppliers of a mapping', () => {
  it('have their prices in euros, accepted and unconfirmed ones', () => {
    expect(supplierOffers({ suppliers: [{ ...SUPPLIER, unconfirmedBands: [band(1080)] }] }, GBP)).toEqual([
      { cwsProductId: 'a', bands: [band(645)], unconfirmedBands: [band(1289)], available: 3, isReleased: true },
    ]);
  });

  it.each([[null], [[]]])('keep unconfirmed prices %j apart from each other: none, and none shown any more', (none) => {
    expect(supplierOffers({ suppliers: [{ ...SUPPLIER, unconfirmedBands: none }] }, GBP)).toMatchObject([
      { unconfirmedBands: none },
    ]);
  });

  it('of an account in euros have the prices that they were stored with', () => {
    expect(supplierOffers({ suppliers: [SUPPLIER] }, EURO)).toMatchObject([{ bands: [band(540)] }]);
  });
});

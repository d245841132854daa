import type { MappingStock, MappingSupplier } from '../catalog/mapping-stock.queries.js';
import { supplierOffers } from '../catalog/mapping-terms.js';
import { cents } from '../money/cents.js';
import { type ExchangeRate, parseExchangeRate } from '../pricing/exchange-rate.rules.js';
import { explainListing } from '../pricing/explain.rules.js';
import { parseFeeRate, parseProfitPercent } from '../pricing/pricing-terms.js';
import { off } from '../sync/desired-state.rules.js';
import type { PriceExplanation } from '../sync/explain-price.service.js';
import { priceExplanationView } from '../sync/price-view.js';
import { describePriceExplanation } from './price-explanation.js';

const AT = new Date('2026-01-31T16:00:00Z');
const band = (unitPrice: number) => [{ fromQuantity: 1, toQuantity: null, unitPrice: cents(unitPrice) }];
const supplier: MappingSupplier = {
  cwsProductId: 'supplier-1',
  bands: band(540),
  unconfirmedBands: band(560),
  available: 12,
  freshAsOf: AT.getTime(),
  requestedAt: AT.getTime(),
};
const mapping: MappingStock = {
  g2aProductId: 7,
  isEnabled: true,
  fixedProfitCents: null,
  profitPercent: null,
  feePercentage: null,
  feeFixedCents: null,
  charmEnding: null,
  minPriceCents: null,
  maxPriceCents: null,
  suppliers: [supplier],
  unseenSuppliers: ['supplier-2'],
};
const simulations = { retail: [{ price: cents(818), income: cents(660) }], business: [] };

function explanation(rate: ExchangeRate): PriceExplanation {
  return {
    g2aProductId: 7,
    offer: {
      g2aOfferId: 'offer-1',
      visibility: 'retail',
      deactivationReason: null,
      simulations: [
        { price: cents(818), income: cents(660), businessIncome: null, failure: null, simulatedAt: AT.getTime() },
        { price: cents(900), income: null, businessIncome: null, failure: 'HTTP 500', simulatedAt: AT.getTime() },
      ],
    },
    mapping,
    rate: { usable: rate, last: rate, asOf: AT },
    listing: explainListing({
      suppliers: supplierOffers(mapping, rate),
      terms: {
        fixedProfit: cents(50),
        profitPercent: parseProfitPercent('0'),
        feePercentage: parseFeeRate('0.15'),
        feeFixed: cents(0),
        minPrice: cents(100),
        maxPrice: null,
      },
      stockBuffer: 2,
      maxDeclaredStock: 999,
      visibility: 'retail',
      simulations,
    }),
    desired: { ...off('for_sale'), priceCents: cents(862) },
  };
}

describe('the explanation for people', () => {
  const pounds = parseExchangeRate({ currency: 'GBP', rate: '1.17', marginPercent: '2' });

  it('goes from the account’s currency to what a sale leaves, line by line', () => {
    // 5.40 x 1.17 x 1.02 = 6.44436; (6.45 + 0.50) / 0.85 = 8.17647…; 6.95 x 8.18 / 6.60 = 8.6137…
    expect(describePriceExplanation(explanation(pounds))).toEqual([
      'G2A product 7, in EUR',
      '',
      'offer on G2A                       offer-1, seen by retail',
      'exchange rate                1.17  EUR for one GBP, plus 2 % for safety, as of 2026-01-31T16:00:00.000Z',
      'supplier                     6.45  supplier-1: chosen: the cheapest that can deliver',
      '                                   12 keys not spoken for, as of 2026-01-31T16:00:00.000Z',
      '                                   prices 6.45 (from 1)',
      '                                   GBP 5.40 (from 1)',
      '                                   not believed yet: 6.69 (from 1)',
      'supplier                           supplier-2: not asked yet',
      'asked at G2A                       of 8.18 G2A leaves 6.60, and - of a sale to companies, as of 2026-01-31T16:00:00.000Z',
      'asked at G2A                       of 9.00, failed at 2026-01-31T16:00:00.000Z: HTTP 500',
      'cost                         6.45  one key at the chosen supplier',
      'fixed profit                 0.50',
      'profit of cost               0.00  0 %, rounded up',
      'profit                       0.50  the larger of both',
      'fee of the price             0.15  as a fraction',
      'fee per sale                 0.00',
      'price, exact             8.17647…  (6.45 + 0.50 + 0.00) / (1 - 0.15)',
      'price, rounded               8.18  up to the cent',
      'bounds                             by the mapping at least 1.00, by G2A none',
      'charm ending                 none',
      'for consumers: G2A says      6.60  is left of 8.18; its real fees: 0.193155 at 8.18',
      '  raised to                  8.62  so that enough is left',
      '  within bounds              8.62',
      '  with the ending            8.62',
      '  price                      8.62',
      '  fees of that               1.67  at worst',
      '  income                     6.95',
      '  profit                     0.50  income less cost',
      'keys                           12  of suppliers whose single key this price pays for',
      'declared stock                 10  those less a buffer of 2, at most 999',
      'result                       8.62  for sale',
    ]);
  });

  it('is the same for programs', () => {
    expect(priceExplanationView(explanation(pounds))).toMatchObject({
      exchangeRate: { currency: 'GBP', rate: '1.17', marginPercent: '2', asOf: AT, isUsable: true },
      suppliers: [
        {
          accountBands: [{ unitPrice: '5.40' }],
          bands: [{ unitPrice: '6.45' }],
          unconfirmedBands: [{ unitPrice: '6.69' }],
        },
      ],
      unseenSuppliers: ['supplier-2'],
      simulations: [
        { price: '8.18', income: '6.60', businessIncome: null, failure: null, at: AT },
        { price: '9.00', income: null, failure: 'HTTP 500' },
      ],
      calculation: {
        prices: [
          { audience: 'retail', simulations: [{ feePercentage: '0.193155' }], simulatedIncome: '6.60', price: '8.62' },
        ],
      },
    });
  });
});

import { cents } from '../money/cents.js';
import { parseFeeRate, parseProfitPercent, type PricingTerms } from '../pricing/pricing-terms.js';
import type { PurchaseAgainstSale } from './sales-export.queries.js';
import { csvLine, exportRow } from './sales-export.rules.js';

const DEFAULTS: PricingTerms = {
  fixedProfit: cents(50),
  profitPercent: parseProfitPercent('0'),
  feePercentage: parseFeeRate('0.15'),
  feeFixed: cents(0),
  minPrice: null,
  maxPrice: null,
};

const PURCHASE: PurchaseAgainstSale = {
  purchaseId: 'purchase',
  orderId: 'order',
  g2aOrderId: 4711,
  orderState: 'completed',
  g2aProductId: 1,
  salePriceCents: cents(803),
  feePercentage: null,
  clientOrderId: 'KF-1',
  cwsOrderIds: ['cws'],
  cwsProductId: 'product',
  purchaseState: 'completed',
  isGivenUp: false,
  unitPriceCents: cents(632),
  boughtQuantity: 3,
  soldQuantity: 3,
  soldAt: new Date('2026-11-23T10:00:00Z'),
  purchasedAt: new Date('2026-11-23T10:00:01Z'),
};

describe('a line of the export', () => {
  it('sets the cost of a purchase against what the sale brings after the default fee', () => {
    expect(exportRow(PURCHASE, DEFAULTS)).toMatchObject({
      quantity_sold: '3',
      sale_price: '8.03',
      // 8.03 brings 6.82 per piece.
      fee: '3.63',
      net: '20.46',
      unit_cost: '6.32',
      total_cost: '18.96',
      margin: '1.50',
    });
  });

  it("takes the mapping's own fee where it has one", () => {
    expect(exportRow({ ...PURCHASE, feePercentage: '0.100000' }, DEFAULTS)).toMatchObject({ fee: '2.43' });
  });

  it('is a loss where a purchase was for nobody', () => {
    expect(exportRow({ ...PURCHASE, soldQuantity: 0 }, DEFAULTS)).toMatchObject({
      fee: '0.00',
      net: '0.00',
      total_cost: '18.96',
      margin: '-18.96',
    });
  });

  it('names every order that CWS made for the purchase', () => {
    const row = exportRow({ ...PURCHASE, cwsOrderIds: ['first', 'second'] }, DEFAULTS);
    expect(row.cws_order_id).toBe('first second');
  });

  it('says what is not certain about the cost', () => {
    const note = (changes: Partial<PurchaseAgainstSale>) => exportRow({ ...PURCHASE, ...changes }, DEFAULTS).cost_note;
    expect(note({})).toBe('');
    expect(note({ purchaseState: 'fulfilling' })).toBe('');
    expect(note({ purchaseState: 'unknown', cwsOrderIds: [] })).toBe('may have been paid');
    expect(note({ purchaseState: 'dead', cwsOrderIds: [], isGivenUp: true })).toBe('may have been paid');
    expect(note({ purchaseState: 'dead', isGivenUp: true })).toBe('given up: paid unless CWS takes it back');
    expect(note({ purchaseState: 'dead', isGivenUp: false })).toBe('');
  });

  it('names no cost that is not known', () => {
    expect(exportRow({ ...PURCHASE, cwsOrderIds: [], unitPriceCents: null }, DEFAULTS)).toMatchObject({
      cws_order_id: '',
      unit_cost: '',
      total_cost: '',
      margin: '',
    });
  });
});

describe('a line of CSV', () => {
  it('quotes what would break it', () => {
    expect(csvLine(['plain', 'a,b', 'say "no"', 'two\nlines'])).toBe('plain,"a,b","say ""no""","two\nlines"');
  });
});

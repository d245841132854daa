import { cents } from '../money/cents.js';
import { isPassedOver, type RefusedPurchase } from './passed-over.rules.js';

const refusal = (priceCap: number, ageSeconds: number, cwsProductId = 'a'): RefusedPurchase => ({
  cwsProductId,
  quantity: 1,
  priceCap: cents(priceCap),
  ageSeconds,
});

const isAPassedOver = (refused: readonly RefusedPurchase[], price: number | null): boolean =>
  isPassedOver('a', refused, () => (price === null ? null : cents(price)));

describe('a supplier that has refused', () => {
  it('is passed over while it shows the price that it refused, however long ago', () => {
    expect(isAPassedOver([refusal(632, 3)], 632)).toBe(true);
    expect(isAPassedOver([refusal(632, 300)], 632)).toBe(true);
    expect(isAPassedOver([refusal(632, 300), refusal(633, 300)], 632)).toBe(true);
  });

  it('is asked again at another price, also after the second refusal', () => {
    expect(isAPassedOver([refusal(632, 0)], 633)).toBe(false);
    expect(isAPassedOver([refusal(632, 1), refusal(633, 0)], 634)).toBe(false);
  });

  it('rests for a minute after the third refusal and each one after it', () => {
    const refused = [refusal(632, 100), refusal(633, 90)];
    expect(isAPassedOver([...refused, refusal(634, 59)], 635)).toBe(true);
    expect(isAPassedOver([...refused, refusal(634, 60)], 635)).toBe(false);
    expect(isAPassedOver([...refused, refusal(634, 80), refusal(635, 1)], 636)).toBe(true);
  });

  it('does not have others passed over', () => {
    expect(isPassedOver('b', [refusal(632, 0), refusal(633, 0), refusal(634, 0)], () => cents(632))).toBe(false);
  });
});

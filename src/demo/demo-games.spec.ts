import { describe, expect, it } from '@jest/globals';
import { cents } from '../money/cents.js';
import { costOf, expectedPrice, raisedBands, settle, toGame } from './demo-games.js';

const game = toGame({
  productId: '00000000-0000-4000-8000-000000000012',
  name: 'Ember Harbor',
  quantity: 7,
  prices: [
    { value: 4.9, from: 10, to: null },
    { value: 4.98, from: 1, to: 9 },
  ],
});

describe('the demo as a checker', () => {
  it('knows a game under its ids on both sides', () => {
    expect(game.g2aProductId).toBe(10_000_000_000_012);
    expect(game.g2aOfferId).toBe('00000000-0000-4000-a000-000000000012');
  });

  it('takes the cost from the band that contains one piece, wherever it is listed', () => {
    expect(costOf(game)).toBe(498);
  });

  it('expects the lowest price that still leaves the promised profit', () => {
    expect(expectedPrice(cents(498))).toBe(645);
    for (let cost = 1; cost <= 6_000; cost += 1) {
      const price = expectedPrice(cents(cost));
      expect(settle(price, cents(cost)).isAsPromised).toBe(true);
      expect(settle(cents(price - 1), cents(cost)).isAsPromised).toBe(false);
    }
  });

  it('splits a sale into fee, cost and profit without losing a cent', () => {
    expect(settle(cents(645), cents(498))).toEqual({ fee: 97, profit: 50, isAsPromised: true });
  });

  it('raises prices in whole cents', () => {
    expect(raisedBands(game).map(({ value }) => value)).toEqual([5.88, 5.97]);
  });
});

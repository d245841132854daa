import { ListedOffers } from './listed-offers.js';

function listed(...offers: [g2aProductId: number, g2aOfferId: string][]): ListedOffers {
  const all = new ListedOffers();
  for (const [g2aProductId, g2aOfferId] of offers) all.add({ g2aProductId, g2aOfferId });
  return all;
}

describe('the offers of a listing', () => {
  it('tell which products have one', () => {
    const offers = listed([1, 'a']);
    expect([offers.has(1), offers.has(2)]).toEqual([true, false]);
  });

  it('tell whether they show a certain one, be it the only one of its product or not', () => {
    const offers = listed([1, 'a'], [1, 'b']);
    const shown = ['a', 'b', 'c'].map((g2aOfferId) => offers.shows({ g2aProductId: 1, g2aOfferId }));
    expect(shown).toEqual([true, true, false]);
    expect(offers.shows({ g2aProductId: 2, g2aOfferId: 'a' })).toBe(false);
  });

  it.each<[string, [number, string][], string | null, [number, string[]][]]>([
    ['one, which is followed, is as it should be', [[1, 'a']], 'a', []],
    ['one, with none followed, is as it should be', [[1, 'a']], null, []],
    [
      'one that is shown twice is one',
      [
        [1, 'a'],
        [1, 'a'],
      ],
      'a',
      [],
    ],
    ['another one than is followed is told', [[1, 'b']], 'a', [[1, ['b']]]],
    [
      'several are told, each once',
      [
        [1, 'b'],
        [1, 'a'],
        [1, 'b'],
        [1, 'a'],
      ],
      'a',
      [[1, ['b', 'a']]],
    ],
    [
      'several are told, with none followed',
      [
        [1, 'a'],
        [1, 'b'],
        [1, 'c'],
      ],
      null,
      [[1, ['a', 'b', 'c']]],
    ],
  ])('of a product: %s', (_title, offers, followed, unlike) => {
    expect([...listed(...offers).unlike(new Map([[1, followed]]))]).toEqual(unlike);
  });
});

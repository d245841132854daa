import type { OfferToPublish } from '../catalog/offer-changes.queries.js';
import { cents } from '../money/cents.js';
import { byRisk, planChange } from './publish.rules.js';

const RECKONING = { costCents: cents(632), incomeCents: cents(682), cwsProductId: 'supplier' };
const FOR_SALE = {
  priceCents: cents(803),
  businessPriceCents: cents(803),
  size: 12,
  isActive: true,
  reason: 'for_sale',
  ...RECKONING,
};
const SHOWN = { retailPriceCents: cents(803), businessPriceCents: cents(803), size: 12, isActive: true };

function offer(changes: Partial<OfferToPublish>): OfferToPublish {
  return { g2aOfferId: 'offer', visibility: 'all', desired: FOR_SALE, shown: SHOWN, ...changes };
}

const NO_RECKONING = { costCents: null, incomeCents: null, cwsProductId: null };
const OFF = {
  priceCents: null,
  businessPriceCents: null,
  size: 0,
  isActive: false,
  reason: 'out_of_stock',
  ...NO_RECKONING,
};

describe('what is sent for an offer', () => {
  it.each<[string, Partial<OfferToPublish>, object | null, string | null]>([
    ['nothing when it shows what it should', {}, null, null],
    [
      'nothing when it is off, whatever its price',
      { desired: OFF, shown: { ...SHOWN, size: 0, isActive: false } },
      null,
      null,
    ],
    ['both size and activity to stop selling', { desired: OFF }, { size: 0, isActive: false }, 'stop_selling'],
    [
      'a stop when it is inactive but still has stock',
      { desired: OFF, shown: { ...SHOWN, isActive: false } },
      { size: 0, isActive: false },
      'stop_selling',
    ],
    [
      'a price that rises',
      { shown: { ...SHOWN, retailPriceCents: cents(700) } },
      { retailPriceCents: 803, businessPriceCents: 803 },
      'raise_price',
    ],
    [
      'a business price that rises',
      { shown: { ...SHOWN, businessPriceCents: cents(700) } },
      { retailPriceCents: 803, businessPriceCents: 803 },
      'raise_price',
    ],
    [
      'both prices when one of them changes',
      {
        desired: { ...FOR_SALE, businessPriceCents: cents(850) },
        shown: { ...SHOWN, businessPriceCents: cents(900) },
      },
      { retailPriceCents: 803, businessPriceCents: 850 },
      'lower_price',
    ],
    [
      'the business price alone for a business offer',
      { visibility: 'business', desired: { ...FOR_SALE, businessPriceCents: cents(850) } },
      { businessPriceCents: 850 },
      'raise_price',
    ],
    [
      'a price that is unknown, as one that may lose money',
      { shown: { ...SHOWN, retailPriceCents: null } },
      { retailPriceCents: 803, businessPriceCents: 803 },
      'raise_price',
    ],
    [
      'a price that falls',
      { shown: { ...SHOWN, retailPriceCents: cents(900), businessPriceCents: cents(900) } },
      { retailPriceCents: 803, businessPriceCents: 803 },
      'lower_price',
    ],
    [
      'an activation, with the size',
      { shown: { ...SHOWN, size: 0, isActive: false } },
      { size: 12, isActive: true },
      'back_in_stock',
    ],
    ['a size', { shown: { ...SHOWN, size: 14 } }, { size: 12 }, 'stock'],
    [
      'no business price that a retail offer does not have',
      { visibility: 'retail', shown: { ...SHOWN, businessPriceCents: null } },
      null,
      null,
    ],
  ])('is %s', (_title, changes, change, risk) => {
    const planned = planChange(offer(changes));
    expect(planned?.change ?? null).toEqual(change);
    expect(planned?.risk ?? null).toBe(risk);
  });

  it('goes out in the order of risk', () => {
    const planned = [
      planChange(offer({ g2aOfferId: 'stock', shown: { ...SHOWN, size: 14 } })),
      planChange(offer({ g2aOfferId: 'cheaper', shown: { ...SHOWN, retailPriceCents: cents(900) } })),
      planChange(offer({ g2aOfferId: 'stop', desired: OFF })),
      planChange(offer({ g2aOfferId: 'loss', shown: { ...SHOWN, retailPriceCents: cents(700) } })),
      planChange(offer({ g2aOfferId: 'back', shown: { ...SHOWN, size: 0, isActive: false } })),
    ].flatMap((change) => change ?? []);
    expect(planned.sort(byRisk).map(({ g2aOfferId }) => g2aOfferId)).toEqual([
      'stop',
      'loss',
      'back',
      'cheaper',
      'stock',
    ]);
  });
});

import { type OfferToPublish, PUBLISH_RISKS } from '../catalog/offer-changes.queries.js';
import { cents } from '../money/cents.js';
import { planChange, requestPriority } from './publish.rules.js';

const RECKONING = { costCents: cents(632), incomeCents: cents(682), cwsProductId: 'supplier' };
const FOR_SALE = {
  priceCents: cents(803),
  businessPriceCents: cents(803),
  breakEvenCents: cents(744),
  businessBreakEvenCents: cents(744),
  size: 12,
  isActive: true,
  reason: 'for_sale',
  ...RECKONING,
};
const SHOWN = { retailPriceCents: cents(803), businessPriceCents: cents(803), size: 12, isActive: true };

function offer(changes: Partial<OfferToPublish>): OfferToPublish {
  const risk = changes.desired?.isActive === false ? 'stop_selling' : 'other';
  return { g2aOfferId: 'offer', visibility: 'all', risk, desired: FOR_SALE, shown: SHOWN, ...changes };
}

const NO_RECKONING = { costCents: null, incomeCents: null, cwsProductId: null };
const OFF = {
  priceCents: null,
  businessPriceCents: null,
  breakEvenCents: null,
  businessBreakEvenCents: null,
  size: 0,
  isActive: false,
  reason: 'out_of_stock',
  ...NO_RECKONING,
};

describe('what is sent for an offer', () => {
  it.each<[string, Partial<OfferToPublish>, object | null]>([
    ['nothing when it shows what it should', {}, null],
    [
      'nothing when it is off, whatever its price',
      { desired: OFF, shown: { ...SHOWN, size: 0, isActive: false } },
      null,
    ],
    ['both size and activity to stop selling', { desired: OFF }, { size: 0, isActive: false }],
    [
      'a stop when it is inactive but still has stock',
      { desired: OFF, shown: { ...SHOWN, isActive: false } },
      { size: 0, isActive: false },
    ],
    [
      'a stop for a price that loses money while the right one is refused',
      { risk: 'stop_selling', shown: { ...SHOWN, retailPriceCents: cents(700) } },
      { size: 0, isActive: false },
    ],
    [
      'a price that rises',
      { shown: { ...SHOWN, retailPriceCents: cents(700) } },
      { retailPriceCents: 803, businessPriceCents: 803 },
    ],
    [
      'a business price that rises',
      { shown: { ...SHOWN, businessPriceCents: cents(700) } },
      { retailPriceCents: 803, businessPriceCents: 803 },
    ],
    [
      'both prices when one of them changes',
      {
        desired: { ...FOR_SALE, businessPriceCents: cents(850) },
        shown: { ...SHOWN, businessPriceCents: cents(900) },
      },
      { retailPriceCents: 803, businessPriceCents: 850 },
    ],
    [
      'the business price alone for a business offer',
      { visibility: 'business', desired: { ...FOR_SALE, businessPriceCents: cents(850) } },
      { businessPriceCents: 850 },
    ],
    [
      'a price that is unknown, as one that may lose money',
      { shown: { ...SHOWN, retailPriceCents: null } },
      { retailPriceCents: 803, businessPriceCents: 803 },
    ],
    [
      'a price that falls',
      { shown: { ...SHOWN, retailPriceCents: cents(900), businessPriceCents: cents(900) } },
      { retailPriceCents: 803, businessPriceCents: 803 },
    ],
    ['an activation, with the size', { shown: { ...SHOWN, size: 0, isActive: false } }, { size: 12, isActive: true }],
    ['a size', { shown: { ...SHOWN, size: 14 } }, { size: 12 }],
    [
      'no business price that a retail offer does not have',
      { visibility: 'retail', shown: { ...SHOWN, businessPriceCents: null } },
      null,
    ],
  ])('is %s', (_title, changes, change) => {
    expect(planChange(offer(changes))).toEqual(change);
  });

  it('asks for room by what is at risk', () => {
    const priorities = PUBLISH_RISKS.map((risk) => requestPriority(offer({ risk })));
    expect(priorities).toEqual(['urgent', 'loss', 'bulk', 'bulk', 'bulk', 'spare']);
  });
});

import { type Offer } from './g2a-marketplace.js';
import { toDecimalString } from './wire-money.js';

/** One of the seen ways to render an offer. The default is the one the contract shows. */
export interface OfferShape {
  /**
   * `string`: "5.98"; `number`: 5.98; `nested`: {retail: {base: {value, currencyCode}}}; `countryMap`: {"PL": "5.98", …};
   * `variants`: no price at the top, but nested within `variants[0]`. Default `string`.
   */
  price?: 'string' | 'number' | 'nested' | 'countryMap' | 'variants';
  /** Default `string`. */
  productId?: 'string' | 'number';
  /** Leaves `active` out, so that only `status` tells. Default false. */
  omitsActive?: boolean;
  /** Leaves `businessPrice` out. Default false. */
  omitsBusinessPrice?: boolean;
  /** Leaves `inventory` out. Default false. */
  omitsSize?: boolean;
  /** Leaves `type` out. Default false. */
  omitsType?: boolean;
}

/** An offer as it goes over the wire. */
export function renderOffer(offer: Offer, shape: OfferShape): Record<string, unknown> {
  const isNumber = shape.productId === 'number';
  return {
    id: offer.id,
    ...(shape.omitsType === true ? {} : { type: offer.type }),
    status: offer.active ? 'active' : 'inactive',
    ...prices(offer, shape.price ?? 'string'),
    visibility: offer.visibility,
    ...(offer.priceLimit === undefined ? {} : { priceLimit: offer.priceLimit }),
    ...(shape.omitsActive === true ? {} : { active: offer.active }),
    ...(shape.omitsBusinessPrice === true ? { businessPrice: undefined } : {}),
    ...(shape.omitsSize === true ? {} : { inventory: { size: offer.size, sold: offer.sold } }),
    product: { id: isNumber ? offer.productId : String(offer.productId), name: offer.name },
    updatedAt: new Date(offer.updatedAtMs).toISOString(),
  };
}

function prices(offer: Offer, shape: NonNullable<OfferShape['price']>): Record<string, unknown> {
  const retail = toDecimalString(offer.retailCents);
  const business = toDecimalString(offer.businessCents);
  switch (shape) {
    case 'string':
      return { price: retail, businessPrice: business };
    case 'number':
      return { price: offer.retailCents / 100, businessPrice: offer.businessCents / 100 };
    case 'nested':
      return { price: nested(retail, business) };
    case 'countryMap':
      return { price: { PL: retail, DE: retail }, businessPrice: { PL: business, DE: business } };
    case 'variants':
      return { variants: [{ price: nested(retail, business), inventory: { size: offer.size }, active: offer.active }] };
  }
}

function nested(retail: string, business: string): Record<string, unknown> {
  const base = (value: string) => ({ base: { value, currencyCode: 'EUR' } });
  return { retail: base(retail), business: base(business) };
}

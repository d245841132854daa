import { type Cents, formatCents } from '../../money/cents.js';
import { isUuid, isWireObject } from '../../upstream/wire.js';
import type { NewOffer, OfferChange } from '../g2a.types.js';

/** G2A's limit for `inventory.size`. */
const MAX_SIZE = 10_000;

/** The body of an update: only the values that are given. */
export function writeOfferChange(change: OfferChange): unknown {
  return { offerType: 'dropshipping', variant: writeVariant(change) };
}

/** The body of a creation. */
export function writeNewOffer(g2aProductId: number, offer: NewOffer): unknown {
  return {
    offerType: 'dropshipping',
    variants: [{ productId: String(g2aProductId), ...writeVariant({ ...offer, isActive: true, visibility: 'all' }) }],
  };
}

/** The offer that a 409 names: `data.offerId`; null when it names none. */
export function readExistingOffer(body: unknown): string | null {
  const id = isWireObject(body) && isWireObject(body['data']) ? body['data']['offerId'] : null;
  return isUuid(id) ? id.toLowerCase() : null;
}

function writeVariant(change: OfferChange): Record<string, unknown> {
  const { size, isActive, visibility } = change;
  if (size !== undefined && (!Number.isInteger(size) || size < 0 || size > MAX_SIZE)) {
    throw new RangeError(`an offer's size is a whole number from 0 to ${MAX_SIZE}, not ${size}`);
  }
  // With visibility retail or business G2A takes that price only.
  const price = {
    ...(visibility === 'business' ? {} : writePrice('retail', change.retailPrice)),
    ...(visibility === 'retail' ? {} : writePrice('business', change.businessPrice)),
  };
  return {
    ...(Object.keys(price).length === 0 ? {} : { price }),
    ...(size === undefined ? {} : { inventory: { size } }),
    ...(isActive === undefined ? {} : { active: isActive }),
    ...(visibility === undefined ? {} : { visibility }),
  };
}

function writePrice(name: 'retail' | 'business', price: Cents | undefined): Record<string, string> {
  return price === undefined ? {} : { [name]: formatCents(price) };
}

import {
  isWireObject,
  readArray,
  readCount,
  readObject,
  readOptionalText,
  readText,
  readUuid,
  readWholeNumber,
  isUuid,
  type WireObject,
  WireShapeError,
} from '../../upstream/wire.js';
import type { MarketplaceOffer, OfferPage, OfferVisibility, RejectedOffer } from '../g2a.types.js';
import { readOfferPrices, readPriceLimit } from './price.mapping.js';

/** Where a page stands in its listing. */
export interface PagePosition {
  /** 1 for the first; null when the answer does not tell. */
  readonly page: number | null;
  /** Null when the answer does not tell. */
  readonly itemsPerPage: number | null;
  readonly totalResults: number;
}

/** A page of the offer list. An offer not understood is skipped and told. @throws WireShapeError */
export function readOfferPage(body: unknown): {
  page: Omit<OfferPage, 'answeredAt'>;
  position: PagePosition;
  itemCount: number;
} {
  const answer = readObject(body, 'body');
  const items = readArray(answer['data'], 'data');
  const meta = readObject(answer['meta'], 'meta');
  const offers: MarketplaceOffer[] = [];
  const rejected: RejectedOffer[] = [];
  for (const item of items) {
    try {
      offers.push(readOffer(item));
    } catch (error) {
      if (!(error instanceof WireShapeError)) throw error;
      const id = isWireObject(item) ? item['id'] : undefined;
      rejected.push({ g2aOfferId: isUuid(id) ? id.toLowerCase() : null, reason: error.message });
    }
  }
  return {
    page: { offers, rejected },
    position: {
      page: readOptionalCount(meta['page'], 'meta.page'),
      itemsPerPage: readOptionalCount(meta['itemsPerPage'], 'meta.itemsPerPage'),
      totalResults: readWholeNumber(meta['totalResults'], 'meta.totalResults'),
    },
    itemCount: items.length,
  };
}

/** @throws WireShapeError */
export function readSingleOffer(body: unknown): MarketplaceOffer {
  return readOffer(readObject(body, 'body')['data']);
}

function readOffer(value: unknown): MarketplaceOffer {
  const outer = readObject(value, 'offer');
  const offer = withVariant(outer);
  const product = readObject(offer['product'], 'product');
  const inventory = readObject(offer['inventory'] ?? {}, 'inventory');
  return {
    g2aOfferId: readUuid(outer['id'], 'id'),
    type: readOptionalText(offer['type'], 'type'),
    g2aProductId: readProductId(product['id']),
    ...readOfferPrices(offer),
    priceLimit: readPriceLimit(offer['priceLimit']),
    size: readOptionalCount(inventory['size'], 'inventory.size'),
    isActive: readIsActive(offer),
    visibility: readVisibility(offer['visibility']),
    productName: readOptionalText(product['name'], 'product.name'),
  };
}

// Some forms keep price, inventory and state in the one element of `variants`.
function withVariant(offer: WireObject): WireObject {
  if (offer['variants'] === undefined || offer['variants'] === null) return offer;
  const variants = readArray(offer['variants'], 'variants');
  if (variants.length > 1) throw new WireShapeError('variants', 'has more than one element');
  return { ...readObject(variants[0] ?? {}, 'variants[0]'), ...withoutNothing(offer) };
}

function withoutNothing(value: WireObject): WireObject {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined && field !== null));
}

function readProductId(value: unknown): number {
  const id = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  // Beyond 2^53 two products would share one number.
  return readWholeNumber(id, 'product.id');
}

function readIsActive(offer: WireObject): boolean {
  const active = offer['active'];
  if (typeof active === 'boolean') return active;
  if (active !== undefined && active !== null) throw new WireShapeError('active', 'is not true or false');
  return readText(offer['status'], 'status').toLowerCase() === 'active';
}

function readVisibility(value: unknown): OfferVisibility | null {
  if (value === undefined || value === null) return null;
  if (value === 'all' || value === 'retail' || value === 'business') return value;
  throw new WireShapeError('visibility', 'is not all, retail or business');
}

function readOptionalCount(value: unknown, field: string): number | null {
  return value === undefined || value === null ? null : readCount(value, field);
}

import { NO_CENTS } from '../../money/cents.js';
import type { PriceBand } from '../../money/price-band.js';
import {
  isUuid,
  isWireObject,
  parseIsoDate,
  readArray,
  readPlausiblePrice,
  readCount,
  readObject,
  readOptionalText,
  readText,
  readUuid,
  readWholeNumber,
  WireShapeError,
} from '../../upstream/wire.js';
import type { ProductPage, RejectedProduct, SupplierProduct } from '../cws.types.js';

/** A page of the product list with the token of the next one (null on the last). A product not understood is skipped and told. */
export function readProductPage(body: unknown): { page: ProductPage; continuationToken: string | null } {
  const answer = readObject(body, 'body');
  const products: SupplierProduct[] = [];
  const rejected: RejectedProduct[] = [];
  for (const item of readArray(answer['items'], 'items')) {
    try {
      products.push(readProduct(item));
    } catch (error) {
      if (!(error instanceof WireShapeError)) throw error;
      rejected.push({ cwsProductId: readId(item), reason: error.message });
    }
  }
  return {
    page: { products, rejected },
    continuationToken: readOptionalText(answer['continuationToken'], 'continuationToken'),
  };
}

/**
 * The answer about one product, as a page of a list would tell it: one that is not understood is told as such.
 * @throws WireShapeError when it is not about this product.
 */
export function readProductOf(body: unknown, cwsProductId: string): ProductPage {
  if (readId(body) !== cwsProductId.toLowerCase()) throw new WireShapeError('productId', 'is not what was asked for');
  try {
    return { products: [readProduct(body)], rejected: [] };
  } catch (error) {
    if (!(error instanceof WireShapeError)) throw error;
    return { products: [], rejected: [{ cwsProductId, reason: error.message }] };
  }
}

function readId(product: unknown): string | null {
  const id = isWireObject(product) ? product['productId'] : undefined;
  return isUuid(id) ? id.toLowerCase() : null;
}

/** @throws WireShapeError */
export function readProduct(value: unknown): SupplierProduct {
  const product = readObject(value, 'product');
  return {
    cwsProductId: readUuid(product['productId'], 'productId'),
    name: readText(product['name'], 'name'),
    platform: readOptionalText(product['platform'], 'platform'),
    quantity: readCount(product['quantity'], 'quantity'),
    priceBands: readPriceBands(product['prices']),
    releaseDate: readReleaseDate(product['releaseDate']),
  };
}

function readPriceBands(value: unknown): PriceBand[] {
  const bands = readArray(value, 'prices').map((item, index) => readPriceBand(item, `prices[${index}]`));
  // The order of `prices` is not published.
  bands.sort((one, other) => one.fromQuantity - other.fromQuantity);
  bands.forEach((band, index) => {
    const next = bands[index + 1];
    // With two prices for one quantity there is no telling which one we would pay.
    if (next !== undefined && (band.toQuantity ?? Infinity) >= next.fromQuantity) {
      throw new WireShapeError('prices', 'has bands that overlap');
    }
  });
  return bands;
}

function readPriceBand(value: unknown, field: string): PriceBand {
  const band = readObject(value, field);
  const fromQuantity = readCount(band['from'], `${field}.from`);
  if (fromQuantity < 1) throw new WireShapeError(`${field}.from`, 'is below 1');
  const to = band['to'] ?? null;
  const toQuantity = to === null ? null : readWholeNumber(to, `${field}.to`);
  if (toQuantity !== null && toQuantity < fromQuantity) throw new WireShapeError(`${field}.to`, 'is below from');
  // Rounded up: what we pay is never understated.
  const unitPrice = readPlausiblePrice(band['value'], `${field}.value`, 'up');
  if (unitPrice <= NO_CENTS) throw new WireShapeError(`${field}.value`, 'is not above zero');
  return { fromQuantity, toQuantity, unitPrice };
}

function readReleaseDate(value: unknown): Date | null {
  if (value === undefined || value === null) return null;
  const date = parseIsoDate(value);
  if (date === null) throw new WireShapeError('releaseDate', 'is not an ISO 8601 date');
  return date;
}

import type { CentRounding, Cents } from '../../money/cents.js';
import { isWireObject, readObject, readPlausiblePrice, type WireObject, WireShapeError } from '../../upstream/wire.js';

const COUNTRY = /^(?:ALL|[A-Z]{2})$/;

/** The two prices of an offer in any of the shapes that were seen. Null where there is none. @throws WireShapeError */
export function readOfferPrices(offer: WireObject): { retailPrice: Cents | null; businessPrice: Cents | null } {
  const { price, businessPrice } = offer;
  const isPair = isWireObject(price) && ('retail' in price || 'business' in price);
  if (isPair) assertEuro(price, 'price');
  return {
    retailPrice: isPair ? readPrice(price['retail'], 'price.retail') : readPrice(price, 'price'),
    businessPrice:
      isPair && businessPrice === undefined
        ? readPrice(price['business'], 'price.business')
        : readPrice(businessPrice, 'businessPrice'),
  };
}

/**
 * G2A's limits of a price, `{min, max}` in EUR: both rounded inwards, null on a side without one; a limit of zero is one that
 * was never set. Null as a whole when the answer does not tell. @throws WireShapeError
 */
export function readPriceLimit(value: unknown): { minPrice: Cents | null; maxPrice: Cents | null } | null {
  if (value === undefined || value === null) return null;
  const limit = readObject(value, 'priceLimit');
  assertEuro(limit, 'priceLimit');
  return {
    minPrice: readLimit(limit['min'], 'priceLimit.min', 'up'),
    maxPrice: readLimit(limit['max'], 'priceLimit.max', 'down'),
  };
}

function readLimit(value: unknown, field: string, rounding: CentRounding): Cents | null {
  const given = isWireObject(value) ? readObject(value, field)['value'] : value;
  if (given === undefined || given === null) return null;
  const limit = readPlausiblePrice(given, field, rounding);
  return limit > 0 ? limit : null;
}

/**
 * The lowest over all countries, `ALL` included, of a map from country to amount; or one amount for all. Rounded down. Null
 * when there is none. @throws WireShapeError
 */
export function readLowestOfCountries(value: unknown, field: string): Cents | null {
  if (!isWireObject(value) || 'value' in value || 'base' in value) return readPrice(value, field);
  assertEuro(value, field);
  return lowestOfCountries(value, field);
}

/**
 * A price as a number, a text, `{value, currencyCode}`, `{base: …}` or a map from country to any of these. Of a map the
 * value for `ALL` counts, else the lowest: what we earn is never overstated.
 */
function readPrice(value: unknown, field: string): Cents | null {
  if (value === undefined || value === null) return null;
  if (!isWireObject(value)) return readPlausiblePrice(value, field, 'down');
  assertEuro(value, field);
  if ('value' in value) return readGivenPrice(value['value'], `${field}.value`);
  if ('base' in value) return readGivenPrice(value['base'], `${field}.base`);
  if ('ALL' in value) return readGivenPrice(value['ALL'], `${field}.ALL`);
  return lowestOfCountries(value, field);
}

function lowestOfCountries(value: WireObject, field: string): Cents {
  const countries = Object.keys(value).filter((key) => COUNTRY.test(key));
  if (countries.length === 0) throw new WireShapeError(field, 'is not a price that we know');
  return countries
    .map((country) => readGivenPrice(value[country], `${field}.${country}`))
    .reduce((lowest, price) => (price < lowest ? price : lowest));
}

function readGivenPrice(value: unknown, field: string): Cents {
  const price = readPrice(value, field);
  if (price === null) throw new WireShapeError(field, 'is not a price');
  return price;
}

function assertEuro(value: WireObject, field: string): void {
  const key = 'currencyCode' in value ? 'currencyCode' : 'currency';
  const currency = value[key];
  if (currency === undefined || currency === null || currency === 'EUR') return;
  throw new WireShapeError(`${field}.${key}`, 'is not EUR');
}

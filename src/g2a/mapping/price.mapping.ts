import type { Cents } from '../../money/cents.js';
import { isWireObject, readPlausiblePrice, type WireObject, WireShapeError } from '../../upstream/wire.js';

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
 * A price as a number, a text, `{value, currencyCode}`, `{base: …}` or a map from country to any of these. Of a map the
 * value for `ALL` counts, else the lowest: what we earn is never overstated.
 */
function readPrice(value: unknown, field: string): Cents | null {
  if (value === undefined || value === null) return null;
  if (!isWireObject(value)) return readPlausiblePrice(value, field, 'down');
  assertEuro(value, field);
  if ('value' in value) return readGivenPrice(value['value'], `${field}.value`);
  if ('base' in value) return readGivenPrice(value['base'], `${field}.base`);
  const countries = Object.keys(value).filter((key) => COUNTRY.test(key));
  if (countries.length === 0) throw new WireShapeError(field, 'is not a price that we know');
  if ('ALL' in value) return readGivenPrice(value['ALL'], `${field}.ALL`);
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

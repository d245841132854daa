import { cwsProductId, g2aOfferId } from '../../dist/sandbox/catalog.js';

/** Enough that a reserved key is nothing a buyer would notice. */
const KEYS_PER_GAME = 500;
const LOWEST_CENTS = 500;
const PRICE_SPREAD_CENTS = 4_500;

/** What game `number` costs at first: between 5 and 50 EUR. */
export function firstCents(number) {
  return LOWEST_CENTS + ((number * 37) % PRICE_SPREAD_CENTS);
}

/** A change of a game at CodesWholesale, as its control route takes it. */
export function change(number, { cents, quantity }) {
  return {
    productId: cwsProductId(number),
    ...(quantity === undefined ? {} : { quantity }),
    ...(cents === undefined ? {} : { prices: [{ value: Math.round(cents) / 100, from: 1, to: null }] }),
  };
}

/** What all games look like at first. */
export function firstState(products) {
  return numbers(products).map((number) => change(number, { cents: firstCents(number), quantity: KEYS_PER_GAME }));
}

export function numbers(count) {
  return Array.from({ length: count }, (_, index) => index + 1);
}

export { g2aOfferId as offerIdOf };

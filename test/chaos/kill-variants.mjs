import { cwsAlternativeProductId, cwsProductId, g2aProductId } from '../../dist/sandbox/catalog.js';

/** A game with one supplier, and one with two, of which the first is the cheaper one. */
const GAME = 1;
const GAME_OF_TWO = 2;
const PIECES = 100_000;

/** What each game can be bought from. */
export const MAPPINGS = [
  { g2aProductId: g2aProductId(GAME), cwsProductIds: [cwsProductId(GAME)] },
  {
    g2aProductId: g2aProductId(GAME_OF_TWO),
    cwsProductIds: [cwsProductId(GAME_OF_TWO), cwsAlternativeProductId(GAME_OF_TWO)],
  },
];
/** Options of the simulated CodesWholesale: both games, with second listings. */
export const CATALOG = { products: 2, alternatives: 2, balance: 1_000_000 };

const oneBand = (value) => [{ value, from: 1, to: null }];
const FIRST_SUPPLIER = cwsProductId(GAME_OF_TWO);

/** Brings the suppliers to what they have before an order, whatever was sold before. */
export function stockUp(supplier, { stock = PIECES }) {
  supplier.setProduct(cwsProductId(GAME), { quantity: PIECES });
  supplier.setProduct(FIRST_SUPPLIER, { quantity: stock, prices: oneBand(5) });
  supplier.setProduct(cwsAlternativeProductId(GAME_OF_TWO), { quantity: PIECES, prices: oneBand(5.1) });
}

const alone = { g2aProductId: g2aProductId(GAME), quantity: 1 };
const ofTwo = { g2aProductId: g2aProductId(GAME_OF_TWO), quantity: 1 };

/**
 * What CodesWholesale does with the order: `behaviors` of the simulated one, `stock` of the first of two suppliers. Of the steps that
 * are the same in all only the first variant dies: until CodesWholesale is asked, and when all is there.
 * `frozenFrom`: at the steps of the purchase from this one on the process is frozen as well.
 */
export const VARIANTS = [
  {
    ...alone,
    name: 'sold at once',
    behaviors: [],
    isWhole: true,
    frozenFrom: 'before COMMIT of purchase.intended',
  },
  { ...alone, name: 'fulfilling for a while', behaviors: [{ name: 'fulfillsAfterSeconds', seconds: 0.2 }] },
  { ...alone, name: 'cancelled, chosen again', behaviors: [{ name: 'cancelsOrder', times: 1 }] },
  { ...alone, name: 'sold, the answer lost', behaviors: [{ name: 'answersAfterCommitNever', times: 1 }] },
  {
    ...alone,
    name: 'the request lost, sent again',
    behaviors: [{ name: 'losesRequest', route: 'POST /v3/orders', times: 1 }],
    frozenFrom: 'after  COMMIT of purchases written',
  },
  {
    ...alone,
    name: 'no room at first (429), sent later',
    behaviors: [{ name: 'answers429', route: 'POST /v3/orders', seconds: 1, times: 1 }],
  },
  {
    ...alone,
    name: 'the token dropped, sent with a new one',
    behaviors: [{ name: 'dropsToken', route: 'POST /v3/orders', times: 1 }],
  },
  {
    ...alone,
    name: 'the code comes empty, fetched by its id',
    behaviors: [{ name: 'codeComesLater', seconds: 0.2, times: 1 }],
  },
  {
    ...ofTwo,
    name: 'sold out, bought from another supplier',
    behaviors: [{ name: 'sellsOutMidOrder', subject: FIRST_SUPPLIER, times: 1 }],
  },
  { ...ofTwo, name: 'two pieces from two suppliers', quantity: 2, stock: 1, behaviors: [] },
];

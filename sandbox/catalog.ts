import { type Band } from './wire-money.js';

/** One invented game as both simulated shops know it. `number` counts from 1; the same number gives the same game, always. */
export interface CatalogEntry {
  readonly number: number;
  readonly name: string;
  readonly platform: string;
  readonly region: string;
  /** Quantity bands in the order the supplier sends them: shuffled for every third game, as the order is not published. */
  readonly bands: readonly Band[];
  readonly quantity: number;
}

const FIRST_G2A_PRODUCT_ID = 10_000_000_000_000;

const FIRST_WORDS = [
  'Ember',
  'Hollow',
  'Iron',
  'Silent',
  'Crimson',
  'Paper',
  'Northern',
  'Glass',
  'Feral',
  'Clockwork',
];
const SECOND_WORDS = [
  'Harbor',
  'Kingdom',
  'Orchard',
  'Tactics',
  'Rally',
  'Frontier',
  'Depths',
  'Circuit',
  'Legacy',
  'Skies',
];
const EDITIONS = ['', ' II', ': Definitive Edition', ' Deluxe', ': Winter Tales', ' Remastered', ' III'];
const PLATFORMS = ['Steam', 'Steam', 'Steam', 'GOG', 'Xbox', 'Uplay', 'Origin'];
const REGIONS = ['WORLDWIDE', 'WORLDWIDE', 'EU', 'PL'];

/** CWS product id of game `number`. */
export function cwsProductId(number: number): string {
  return `00000000-0000-4000-8000-${twelveDigits(number)}`;
}

/** CWS product id of the second listing of game `number`: same game, slightly other price. Only with `alternatives`. */
export function cwsAlternativeProductId(number: number): string {
  return `00000000-0000-4000-9000-${twelveDigits(number)}`;
}

/** G2A product id (14 digits) of game `number`. */
export function g2aProductId(number: number): number {
  return FIRST_G2A_PRODUCT_ID + number;
}

/** Inverse of `g2aProductId`; NaN or an unused number for anything else. */
export function numberOfG2aProduct(productId: number): number {
  return productId - FIRST_G2A_PRODUCT_ID;
}

/** G2A offer id of our dropshipping offer for game `number`. */
export function g2aOfferId(number: number): string {
  return `00000000-0000-4000-a000-${twelveDigits(number)}`;
}

/** G2A offer id of an offer of another type (`extraOffers`) for game `number`. */
export function g2aExtraOfferId(number: number): string {
  return `00000000-0000-4000-a001-${twelveDigits(number)}`;
}

/** Game `number` as the supplier first lists it. Every 23rd is out of stock, the others have 1 to 300. */
export function catalogEntry(number: number): CatalogEntry {
  const bands = bandsFrom(number, 99 + draw(number, 3, 5_900));
  return {
    number,
    name: gameName(number),
    platform: oneOf(PLATFORMS, draw(number, 1, PLATFORMS.length)),
    region: oneOf(REGIONS, draw(number, 2, REGIONS.length)),
    bands: number % 3 === 0 ? bands.toReversed() : bands,
    quantity: number % 23 === 0 ? 0 : 1 + draw(number, 4, 300),
  };
}

/** The second listing of game `number`: up to 5 % dearer or cheaper, with a stock of its own. */
export function alternativeEntry(number: number): CatalogEntry {
  const entry = catalogEntry(number);
  const singlePrice = entry.bands.find((band) => band.from === 1)?.cents ?? 0;
  const cents = Math.round((singlePrice * (95 + draw(number, 5, 11))) / 100);
  return { ...entry, bands: bandsFrom(number, cents), quantity: draw(number, 6, 301) };
}

/** Two to four bands, each strictly cheaper than the one before; the last has no upper end. */
function bandsFrom(number: number, singleCents: number): Band[] {
  const starts = [1, 10, 50, 100].slice(0, 2 + (number % 3));
  return starts.map((from, index) => {
    const next = starts[index + 1];
    const discount = index === 0 ? 0 : Math.floor((singleCents * 3 * index) / 100) + index;
    return { cents: singleCents - discount, from, to: next === undefined ? null : next - 1 };
  });
}

function gameName(number: number): string {
  const index = number - 1;
  const first = oneOf(FIRST_WORDS, index % FIRST_WORDS.length);
  const second = oneOf(SECOND_WORDS, Math.floor(index / 10) % SECOND_WORDS.length);
  const edition = oneOf(EDITIONS, Math.floor(index / 100) % EDITIONS.length);
  const volume = Math.floor(index / 700);
  return `${first} ${second}${edition}${volume === 0 ? '' : ` Vol. ${volume + 1}`}`;
}

/** A repeatable draw in [0, below) for one game; `salt` tells its properties apart. */
function draw(number: number, salt: number, below: number): number {
  let hash = Math.imul(number ^ Math.imul(salt, 0x9e3779b9), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % below;
}

function oneOf(words: readonly string[], index: number): string {
  return words[index] ?? '';
}

function twelveDigits(number: number): string {
  return String(number).padStart(12, '0');
}

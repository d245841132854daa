import { type Cents, cents, parseCents } from '../money/cents.js';

/** Profit per key and G2A's fee that the demo configures. */
export const PROFIT = '0.50';
export const FEE = '0.15';
const PROFIT_CENTS = 50;
const SELLER_KEEPS_PERCENT = 85;

/** A game as the simulated supplier lists it now, with the ids it has on both sides. */
export interface Game {
  readonly name: string;
  readonly cwsProductId: string;
  readonly g2aProductId: number;
  readonly g2aOfferId: string;
  readonly quantity: number;
  readonly bands: readonly WireBand[];
}

/** A quantity band as CWS sends it: `value` is a JSON number in EUR, `to: null` means "and more". */
export interface WireBand {
  readonly value: number;
  readonly from: number;
  readonly to: number | null;
}

/** The fields of a CWS product that the demo reads. */
export interface WireProduct {
  readonly productId: string;
  readonly name: string;
  readonly quantity: number;
  readonly prices: readonly WireBand[];
}

/** How the sandbox derives its ids from a game's number is documented in sandbox/README.md. */
export function toGame({ productId, name, quantity, prices }: WireProduct): Game {
  const number = productId.slice(-12);
  return {
    name,
    cwsProductId: productId,
    g2aProductId: 10_000_000_000_000 + Number(number),
    g2aOfferId: `00000000-0000-4000-a000-${number}`,
    quantity,
    bands: prices,
  };
}

/** What one piece costs: the price of the band that contains 1. */
export function costOf({ name, bands }: Pick<Game, 'name' | 'bands'>): Cents {
  const band = bands.find(({ from, to }) => from <= 1 && (to === null || to >= 1));
  if (band === undefined) throw new Error(`${name} has no price for one piece`);
  return parseCents(band.value, 'up');
}

/**
 * The price that should be on G2A: (cost + profit) / (1 - fee), rounded up to the cent. On purpose not the code that the app
 * prices with.
 */
export function expectedPrice(cost: Cents): Cents {
  const numerator = (cost + PROFIT_CENTS) * 100;
  return cents(Math.floor((numerator + SELLER_KEEPS_PERCENT - 1) / SELLER_KEEPS_PERCENT));
}

/** What is left of a sale after G2A's fee and the cost. G2A rounds the seller's share down. */
export function settle(paid: Cents, cost: Cents): { fee: Cents; profit: Cents; isAsPromised: boolean } {
  const income = Math.floor((paid * SELLER_KEEPS_PERCENT) / 100);
  const profit = income - cost;
  return { fee: cents(paid - income), profit: cents(profit), isAsPromised: profit >= PROFIT_CENTS };
}

/** Every band a fifth dearer, in whole cents. */
export function raisedBands({ bands }: Game): WireBand[] {
  return bands.map((band) => {
    const before = parseCents(band.value, 'exact');
    return { ...band, value: (before + Math.floor(before / 5)) / 100 };
  });
}

/** A quantity band as the sandbox keeps it. `to: null` means "and more". */
export interface Band {
  readonly cents: number;
  readonly from: number;
  readonly to: number | null;
}

/** A quantity band as CWS sends it: `value` is a JSON number in EUR. */
export interface WireBand {
  readonly value: number;
  readonly from: number;
  readonly to: number | null;
}

/** Wire number in EUR to integer cents. */
export function toCents(value: number): number {
  return Math.round(value * 100);
}

/** Integer cents to the JSON number CWS sends. */
export function toWire(cents: number): number {
  return cents / 100;
}

/** Integer cents to the decimal string G2A sends. */
export function toDecimalString(cents: number): string {
  return (cents / 100).toFixed(2);
}

/** Unit price when `quantity` pieces are bought: the band that contains it. Undefined when no band does. */
export function unitCents(bands: readonly Band[], quantity: number): number | undefined {
  return bands.find((band) => band.from <= quantity && (band.to === null || quantity <= band.to))?.cents;
}

import { CommandError } from './failure.js';

/**
 * A G2A product id as a person types it.
 * @throws CommandError
 */
export function parseG2aProductId(text: string): number {
  const g2aProductId = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(g2aProductId)) throw new CommandError(`${text} is not a G2A product id.`);
  return g2aProductId;
}

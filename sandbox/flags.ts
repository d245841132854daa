import { InvalidArgumentError } from 'commander';
import { parseRateLimit, type RateLimit } from './sliding-window.js';

/** Value of a flag that is a number. */
export function readNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Not a number.');
  return value;
}

/** Value of a flag that is a rate such as 400/600s. */
export function readRate(text: string): RateLimit {
  try {
    return parseRateLimit(text);
  } catch {
    throw new InvalidArgumentError('Not a rate such as 400/600s.');
  }
}

import { buildMessage, ValidateBy } from 'class-validator';

/** A number without fraction within a range, both ends included. Not the text of one. */
export function IsWholeNumber(min: number, max: number): PropertyDecorator {
  return ValidateBy({
    name: 'isWholeNumber',
    validator: {
      validate: (value) => typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max,
      defaultMessage: buildMessage((prefix) => `${prefix}$property must be a whole number from ${min} to ${max}`),
    },
  });
}

/**
 * An int64 id of G2A. JSON.parse rounds what is above 2^53 - 1, silently, to another id: refused, though the contract allows it.
 */
export function IsG2aId(): PropertyDecorator {
  return IsWholeNumber(1, Number.MAX_SAFE_INTEGER);
}

/** A caller was seen sending ids as text: digits become the number, anything else is left for IsG2aId to refuse. */
export function g2aIdFrom(value: unknown): unknown {
  return typeof value === 'string' && /^[1-9]\d{0,15}$/.test(value) ? Number(value) : value;
}

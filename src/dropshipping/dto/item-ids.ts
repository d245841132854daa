import { isUUID } from 'class-validator';
import { ItemNotFoundError } from '../../orders/order-errors.js';
import { isWireObject } from '../../upstream/wire.js';
import { invalidRequest } from '../errors/http-error.js';

const MAX_IDS = 100;
/** `id[]=a&id[]=b`, and what others make of an array in a query: `id=a&id=b`, `id[0]=a&id[1]=b`. */
const ID_PARAMETER = /^id(?:\[\d*\])?$/;

/**
 * An inventory id in a path.
 * @throws ItemNotFoundError for one that no item can have.
 */
export function readItemId(text: string): string {
  if (!isUUID(text)) throw new ItemNotFoundError();
  return text.toLowerCase();
}

/**
 * The inventory ids in a query, each once.
 * @throws HttpError 400 when there is none, an empty one, or more than 100.
 * @throws ItemNotFoundError when one is an id that no item can have.
 */
export function readItemIds(query: unknown): string[] {
  const ids = Object.entries(isWireObject(query) ? query : {})
    .filter(([name]) => ID_PARAMETER.test(name))
    .flatMap(([, value]) => value);
  if (ids.length === 0) throw invalidRequest('id[] must name at least one item');
  if (ids.length > MAX_IDS) throw invalidRequest(`id[] must name at most ${MAX_IDS} items`);
  return [
    ...new Set(
      ids.map((id) => {
        if (typeof id !== 'string' || id === '') throw invalidRequest('id[] must not be empty');
        return readItemId(id);
      }),
    ),
  ];
}

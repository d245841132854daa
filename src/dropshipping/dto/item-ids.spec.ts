import { ItemNotFoundError } from '../../orders/order-errors.js';
import { HttpError } from '../errors/http-error.js';
import { readItemId, readItemIds } from './item-ids.js';

const A = '3b6d0a52-7f0e-4a38-9d5b-0d8f0f0f1a01';
const B = '3b6d0a52-7f0e-4a38-9d5b-0d8f0f0f1a02';

describe('the ids in a query', () => {
  it.each([
    [{ 'id[]': A }, [A]],
    [{ 'id[]': [A, B] }, [A, B]],
    [{ id: A }, [A]],
    [{ id: [A, B] }, [A, B]],
    [{ 'id[0]': A, 'id[1]': B }, [A, B]],
    [{ 'id[]': [A, A.toUpperCase(), A] }, [A]],
    [{ 'id[]': A, other: 'x', idx: 'x', 'id[x]': 'x' }, [A]],
  ])('are read from %j, each once', (query, ids) => {
    expect(readItemIds(query)).toEqual(ids);
  });

  it.each([[{}], [undefined], [{ other: A }], [{ id: '' }], [{ 'id[]': [A, ''] }], [{ id: Array(101).fill(A) }]])(
    'are refused in %j',
    (query) => {
      expect(() => readItemIds(query)).toThrow(HttpError);
    },
  );

  it.each(['x', '1'.repeat(36), 'x'.repeat(5000), `${A} `, '\0'])('cannot be those of an item: %j', (id) => {
    expect(() => readItemIds({ 'id[]': [A, id] })).toThrow(ItemNotFoundError);
    expect(() => readItemId(id)).toThrow(ItemNotFoundError);
  });
});

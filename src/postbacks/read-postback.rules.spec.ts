import { presentedHash, readHints } from './read-postback.rules.js';

const A = '0a000000-0000-4000-8000-00000000000a';
const B = '0b000000-0000-4000-8000-00000000000b';
const NONE = { cwsProductIds: [], cwsOrderIds: [] };

describe('a CWS postback', () => {
  it.each([
    ['STOCK', { products: [{ productId: A, quantity: 3 }, { productId: B.toUpperCase() }, { productId: A }] }, [A, B]],
    ['PRODUCT_UPDATED', { productId: A }, [A]],
    ['PRODUCT_HIDDEN', { productId: B }, [B]],
    ['a type that nobody has heard of', { productId: B }, [B]],
  ])('of type %s hints at its products, each once', (type, fields, cwsProductIds) => {
    expect(readHints({ type, ...fields })).toEqual({ cwsProductIds, cwsOrderIds: [] });
  });

  it('of type PREORDER hints at its order, by either reference', () => {
    for (const orderId of [A, `KF-01234567-${B}`]) {
      expect(readHints({ type: 'PREORDER', orderId })).toEqual({ cwsProductIds: [], cwsOrderIds: [orderId] });
    }
  });

  it.each([
    undefined,
    null,
    'STOCK',
    [],
    { products: 'all' },
    { products: [null, 7, 'x', { productId: 5 }, { productId: '1; DROP TABLE' }] },
    { productId: { productId: A } },
    { orderId: 17 },
    { orderId: '' },
    { orderId: 'x'.repeat(65) },
  ])('that is not understood hints at nothing: %j', (body) => {
    expect(readHints(body)).toEqual(NONE);
  });

  it('presents a hash in any case, or none', () => {
    expect(presentedHash({ authHash: 'ABC' })).toBe('abc');
    for (const body of [undefined, null, 'abc', {}, { authHash: 5 }, { authHash: ['abc'] }]) {
      expect(presentedHash(body)).toBe('');
    }
  });
});

/** Purchases of which something may still come. */
export const LIVE = ['intended', 'unknown', 'fulfilling'];

export function violation(rule, subject, message) {
  return { rule, subject: String(subject), message };
}

/** What an order CWS has charged for. Cancelled and failed ones took no money and gave no codes. */
export const isCharged = ({ status }) => status === 'Completed';

export const codesOf = (ledgerOrder) => ledgerOrder.lines.flatMap(({ codes }) => codes);

export function byKey(rows, key) {
  return new Map(rows.map((row) => [row[key], row]));
}

/** The evidence by what it is looked up by. */
export function indexed({ ledger, orders, items, purchases, keys, alerts, posts }) {
  const itemById = byKey(items, 'id');
  const soldCodes = new Map(
    ledger.orders.filter(isCharged).flatMap((sold) => codesOf(sold).map((code) => [code.codeId, { ...code, sold }])),
  );
  const called = alerts.filter(({ kind, isOpen }) => kind === 'order_needs_attention' && isOpen);
  return {
    orderById: byKey(orders, 'id'),
    itemById,
    purchaseById: byKey(purchases, 'id'),
    purchaseByReference: byKey(purchases, 'clientOrderId'),
    keyById: byKey(keys, 'id'),
    soldCodes,
    /** The open alert that calls a person to an order, by the order's id. */
    callById: byKey(called, 'subject'),
    soldUnder: (reference) => ledger.orders.filter(({ clientOrderId }) => clientOrderId === reference),
    postsOf: (reference) => posts.filter((post) => post.reference === reference),
    itemsOf: (orderId) => items.filter((item) => item.orderId === orderId),
    keysOf: (itemId) => keys.filter(({ orderItemId }) => orderItemId === itemId),
    purchasesOf: (itemId) => purchases.filter(({ orderItemId }) => orderItemId === itemId),
    orderOf: (purchase) => itemById.get(purchase?.orderItemId)?.orderId,
  };
}

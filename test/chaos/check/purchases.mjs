import { codesOf, isCharged, LIVE, violation } from './books.mjs';

/** What CWS answers when it has not done anything and never will: the same sending goes on. */
const NOT_DONE = [401, 429];

/**
 * Nothing is bought twice, whether or not a person was told: in a run CWS makes one order of each request, so a second one under a
 * reference, or beside a purchase that was called dead, is a second request of ours.
 */
export function* nothingIsBoughtTwice({ ledger, items, purchases }, books) {
  for (const { clientOrderId, state, sendCount } of purchases) {
    const charged = books.soldUnder(clientOrderId).filter(isCharged);
    if (charged.length > 1) yield violation('bought-twice', clientOrderId, `CWS has ${charged.length} orders of it`);
    if (charged.length > 0 && state === 'dead') {
      yield violation(
        'bought-twice',
        clientOrderId,
        'called dead, which lets its keys be bought again, and CWS sold it',
      );
    }
    const sent = books.postsOf(clientOrderId).filter(({ status }) => !NOT_DONE.includes(status)).length;
    if (sent > sendCount) {
      yield violation('bought-twice', clientOrderId, `claimed ${sendCount} times, and sent ${sent} times`);
    }
  }
  for (const item of items) {
    const own = books.purchasesOf(item.id);
    const references = new Set(own.map(({ clientOrderId }) => clientOrderId));
    const bought = ledger.orders
      .filter((sold) => isCharged(sold) && references.has(sold.clientOrderId))
      .reduce((sum, sold) => sum + codesOf(sold).length, 0);
    if (bought > item.quantity) {
      const found = `${bought} codes of product ${item.g2aProductId} bought for ${item.quantity}`;
      yield violation('bought-twice', item.orderId, found);
    }
    const live = own.find(({ state }) => LIVE.includes(state));
    if (live !== undefined && books.keysOf(item.id).length >= item.quantity) {
      yield violation('bought-twice', item.orderId, `all keys are there, and ${live.clientOrderId} is ${live.state}`);
    }
  }
}

export function* noBoughtCodeIsMissing({ ledger, keys }, books) {
  const stored = new Map();
  for (const { cwsCodeId, purchaseId, orderItemId } of keys) {
    const purchase = books.purchaseById.get(purchaseId);
    const reference = purchase?.clientOrderId;
    stored.set(reference, (stored.get(reference) ?? new Set()).add(cwsCodeId));
    if (books.soldCodes.get(cwsCodeId)?.sold.clientOrderId !== reference) {
      yield violation('key-invented', cwsCodeId, `stored for ${reference}, which CWS has not sold it for`);
    }
    if (purchase?.orderItemId !== orderItemId) {
      yield violation('key-invented', cwsCodeId, 'stored for another item than it was bought for');
    }
  }
  for (const sold of ledger.orders.filter(isCharged)) {
    const lost = codesOf(sold).filter(({ codeId }) => !stored.get(sold.clientOrderId)?.has(codeId));
    if (lost.length > 0) {
      const found = `${lost.length} of ${codesOf(sold).length} bought codes are not stored`;
      yield violation('code-missing', sold.clientOrderId, found);
    }
  }
}

export function* everyPurchaseIsAsIntended({ ledger, suppliers, feePercent }, books) {
  for (const { orderId, clientOrderId, lines } of ledger.orders) {
    const purchase = books.purchaseByReference.get(clientOrderId);
    if (purchase === undefined) {
      yield violation('intent', clientOrderId, `CWS order ${orderId} was never intended`);
      continue;
    }
    const [line] = lines;
    if (lines.length !== 1 || line.productId !== purchase.cwsProductId || line.quantity !== purchase.quantity) {
      yield violation('intent', clientOrderId, 'CWS sold something else than was intended');
    }
    if (lines.some(({ capCents }) => capCents === null)) {
      yield violation('cap', clientOrderId, 'sent without a price cap');
    } else if (lines.some(({ capCents, unitCents }) => capCents !== purchase.priceCapCents || unitCents > capCents)) {
      yield violation('cap', clientOrderId, 'the cap sent is not the one intended, or CWS charged more');
    }
    const item = books.itemById.get(purchase.orderItemId);
    if (!suppliers[item.g2aProductId]?.includes(purchase.cwsProductId)) {
      yield violation('intent', clientOrderId, `${purchase.cwsProductId} does not supply product ${item.g2aProductId}`);
    }
    if (purchase.priceCapCents * 100 > item.salePriceCents * (100 - feePercent)) {
      const found = `cap ${purchase.priceCapCents}, the sale brings ${item.salePriceCents} before fees`;
      yield violation('loss', clientOrderId, found);
    }
  }
}

export function* moneyAddsUp({ ledger, openingBalanceCents, purchases, keys }) {
  const charged = ledger.orders.filter(isCharged);
  const sum = charged.flatMap(({ lines }) => lines).reduce((total, line) => total + line.unitCents * line.quantity, 0);
  if (sum !== ledger.spentCents || openingBalanceCents - ledger.balanceCents !== sum) {
    const found = `orders of ${sum}, spent ${ledger.spentCents}, balance down by ${openingBalanceCents - ledger.balanceCents}`;
    yield violation('money', 'CWS', found);
  }
  const ours = purchases.reduce((total, { id, unitPriceCents }) => {
    const count = keys.filter(({ purchaseId }) => purchaseId === id).length;
    return total + count * (unitPriceCents ?? 0);
  }, 0);
  if (ours !== sum) yield violation('money', 'our books', `keys for ${ours}, CWS charged ${sum}`);
}

/** More orders than this share in needs_attention, and the program hands its work to people instead of doing it. */
const MAX_ATTENTION_SHARE = 0.25;
const LIVE = ['intended', 'unknown', 'fulfilling'];
/** Alerts that nothing in a run can justify: no back-up is restored, and CWS's look-ups find all there is in time. */
const FALSE_ALARMS = ['supplier_orders_unmatched', 'purchase_lookup_missed', 'balance_too_low'];

export function check(evidence) {
  const books = indexed(evidence);
  return [
    ...ordersAreThoseOfTheCustomers(evidence, books),
    ...everyOrderHasItsKeysOrATrueReason(evidence, books),
    ...keysShownAreTheRightOnes(evidence, books),
    ...nothingIsBoughtTwice(evidence, books),
    ...noBoughtCodeIsMissing(evidence, books),
    ...everyPurchaseIsAsIntended(evidence, books),
    ...moneyAddsUp(evidence),
    ...peopleAreCalledForAReason(evidence),
    ...replicasEndForAReason(evidence),
  ];
}

/** What an order CWS has charged for. Cancelled and failed ones took no money and gave no codes. */
const isCharged = ({ status }) => status === 'Completed';

const codesOf = (ledgerOrder) => ledgerOrder.lines.flatMap(({ codes }) => codes);

function indexed({ ledger, orders, items, purchases, keys }) {
  const itemById = byKey(items, 'id');
  const purchaseById = byKey(purchases, 'id');
  const purchaseByReference = byKey(purchases, 'clientOrderId');
  const soldCodes = new Map(
    ledger.orders.filter(isCharged).flatMap((sold) => codesOf(sold).map((code) => [code.codeId, { ...code, sold }])),
  );
  return {
    orderById: byKey(orders, 'id'),
    itemById,
    purchaseById,
    purchaseByReference,
    keyById: byKey(keys, 'id'),
    soldCodes,
    soldUnder: (reference) => ledger.orders.filter(({ clientOrderId }) => clientOrderId === reference),
    itemsOf: (orderId) => items.filter((item) => item.orderId === orderId),
    keysOf: (itemId) => keys.filter(({ orderItemId }) => orderItemId === itemId),
    purchasesOf: (itemId) => purchases.filter(({ orderItemId }) => orderItemId === itemId),
    orderOf: (purchase) => itemById.get(purchase?.orderItemId)?.orderId,
  };
}

function byKey(rows, key) {
  return new Map(rows.map((row) => [row[key], row]));
}

function violation(rule, subject, message) {
  return { rule, subject: String(subject), message };
}

function* ordersAreThoseOfTheCustomers({ notes, orders, items }, { orderById }) {
  const answered = new Set();
  for (const { customer, g2aOrderId, lines, orderIds, refusals } of notes) {
    const ids = [...new Set(orderIds)];
    if (ids.length > 1) {
      yield violation('one-order', g2aOrderId, `customer ${customer} was told ${ids.length} ids: ${ids.join(', ')}`);
    }
    for (const { status } of refusals) {
      yield violation('paid-order-refused', g2aOrderId, `customer ${customer} was answered ${status}`);
    }
    for (const id of ids) {
      answered.add(id);
      const order = orderById.get(id);
      if (order === undefined) {
        yield violation('order-lost', id, `answered to customer ${customer}, and not in the database`);
        continue;
      }
      const rows = items.filter(({ orderId }) => orderId === id);
      if (order.g2aOrderId !== g2aOrderId || summary(rows) !== summary(lines)) {
        yield violation(
          'order-altered',
          id,
          `customer ${customer} ordered ${summary(lines)}, there is ${summary(rows)}`,
        );
      }
    }
  }
  for (const { id } of orders) {
    if (!answered.has(id)) yield violation('order-invented', id, 'no customer was told of it');
  }
}

function summary(lines) {
  return lines
    .map(({ g2aProductId, quantity }) => `${quantity} x ${g2aProductId}`)
    .sort()
    .join(', ');
}

function* everyOrderHasItsKeysOrATrueReason({ orders, deliveries }, books) {
  const shown = byKey(deliveries, 'orderId');
  for (const order of orders) {
    const items = books.itemsOf(order.id);
    if (order.state === 'needs_attention') {
      const falsehood = falsehoodOf(order, items, books);
      if (falsehood !== null) yield violation('reason', order.id, `"${order.attentionReason}": ${falsehood}`);
      continue;
    }
    if (order.state !== 'completed') {
      yield violation('not-final', order.id, `still ${order.state}`);
      continue;
    }
    const answers = shown.get(order.id)?.answers ?? [];
    if (answers.length === 0) yield violation('keys', order.id, 'completed, and its inventory was not shown');
    for (const answer of answers) {
      for (const { g2aProductId, quantity } of items) {
        const count = answer.filter((key) => key.g2aProductId === g2aProductId).length;
        if (count !== quantity) {
          yield violation('keys', order.id, `completed with ${count} of ${quantity} keys of product ${g2aProductId}`);
        }
      }
    }
  }
}

/** What is not true about the reasons why a person was called, one for each item; null when all hold against the ledger. */
function falsehoodOf({ id, attentionReason }, items, books) {
  const missing = items.filter((item) => books.keysOf(item.id).length < item.quantity);
  if (missing.length === 0) return 'no key is missing';
  const reasons = attentionReason.split(/(?<=^|\. )(?=purchase KF-|product \d)/);
  return (
    reasons.map((reason) => falsehoodOfOne(id, reason, missing, books)).find((falsehood) => falsehood !== null) ?? null
  );
}

function falsehoodOfOne(id, reason, missing, books) {
  const [, reference, claim] =
    /^purchase (KF-\S+) (has no known outcome|has no key (?:by the deadline|yet))/.exec(reason) ?? [];
  if (reference !== undefined) {
    const purchase = books.purchaseByReference.get(reference);
    if (books.orderOf(purchase) !== id) return 'the purchase is not one of this order';
    if (!missing.some((item) => item.id === purchase.orderItemId)) return 'the keys of its item are all there';
    const sold = books.soldUnder(reference);
    if (sold.some(isCharged)) return 'CWS has charged for it and has its codes';
    if (claim !== 'has no known outcome') return sold.length > 0 ? null : 'CWS has no order of it';
    // CWS may know what it could not be asked for.
    if (sold.length === 0 || /^\S+ \S+ has no known outcome \(the last look-up failed: /.test(reason)) return null;
    return `CWS knows the outcome: ${sold[0].status}`;
  }

  const [, product, count, quantity] =
    /^product (\d+): (\d+) of (\d+) keys? could not be bought in time/.exec(reason) ?? [];
  if (product !== undefined) {
    const item = missing.find(({ g2aProductId }) => String(g2aProductId) === product);
    if (item === undefined) return 'no key of this product is missing';
    if (item.quantity !== Number(quantity)) return `${item.quantity} were ordered`;
    const owed = item.quantity - books.keysOf(item.id).length;
    if (owed !== Number(count)) return `${owed} are missing`;
    const live = books.purchasesOf(item.id).find(({ state }) => LIVE.includes(state));
    return live === undefined ? null : `purchase ${live.clientOrderId} is ${live.state}`;
  }
  return 'not a reason that this check knows';
}

function* keysShownAreTheRightOnes({ notes, deliveries }, books) {
  const ownerOfValue = new Map();
  const shownAtEnd = new Map();
  for (const { orderId, answers } of deliveries) {
    const [first = [], ...others] = answers;
    shownAtEnd.set(orderId, first);
    for (const answer of others) {
      if (listing(answer) !== listing(first)) yield violation('same-keys', orderId, 'the replicas show different keys');
    }
    for (const { id, value, g2aProductId } of first) {
      const other = ownerOfValue.get(value);
      if (other !== undefined) yield violation('key-twice', orderId, `key ${id} was delivered to order ${other} too`);
      ownerOfValue.set(value, orderId);
      const problem = problemOfKey({ orderId, id, value, g2aProductId }, books);
      if (problem !== null) yield violation('right-key', orderId, `key ${id}: ${problem}`);
    }
  }
  for (const { orderIds, seen } of notes) {
    const atEnd = listing(shownAtEnd.get(orderIds[0]) ?? []);
    for (const { id, value } of seen) {
      if (!atEnd.includes(`${id}=${value};`)) {
        yield violation('same-keys', orderIds[0], `key ${id} was shown once, and not at the end`);
      }
    }
  }
}

function listing(keys) {
  return keys
    .map(({ id, value }) => `${id}=${value};`)
    .sort()
    .join('');
}

/** A key that was shown, against what CWS sold for this item. */
function problemOfKey({ orderId, id, value, g2aProductId }, books) {
  const key = books.keyById.get(id);
  const code = books.soldCodes.get(key?.cwsCodeId);
  if (code === undefined) return 'CWS has not sold it';
  if (code.code !== value) return 'CWS sold another value';
  const item = books.itemById.get(books.purchaseByReference.get(code.sold.clientOrderId)?.orderItemId);
  if (item === undefined) return `sold under ${code.sold.clientOrderId}, which is no purchase of ours`;
  if (item.orderId !== orderId) return `bought for order ${item.orderId}`;
  return item.g2aProductId === g2aProductId ? null : `bought for product ${item.g2aProductId}`;
}

function* nothingIsBoughtTwice({ ledger, items, purchases, alerts }, books) {
  const duplicated = new Set(alerts.filter(({ kind }) => kind === 'purchase_duplicated').map(({ subject }) => subject));
  for (const purchase of purchases) {
    const charged = books.soldUnder(purchase.clientOrderId).filter(isCharged);
    if (charged.length > 1 && !duplicated.has(purchase.id)) {
      yield violation('bought-twice', purchase.clientOrderId, `CWS has ${charged.length} orders, and nobody was told`);
    }
  }
  for (const item of items) {
    const own = books.purchasesOf(item.id);
    const references = new Set(own.map(({ clientOrderId }) => clientOrderId));
    const bought = ledger.orders
      .filter((sold) => isCharged(sold) && references.has(sold.clientOrderId))
      .reduce((sum, sold) => sum + codesOf(sold).length, 0);
    if (bought > item.quantity && !own.some(({ id }) => duplicated.has(id))) {
      yield violation(
        'bought-twice',
        item.orderId,
        `${bought} codes of product ${item.g2aProductId} bought for ${item.quantity}`,
      );
    }
    const live = own.find(({ state }) => LIVE.includes(state));
    if (live !== undefined && books.keysOf(item.id).length >= item.quantity) {
      yield violation('bought-twice', item.orderId, `all keys are there, and ${live.clientOrderId} is ${live.state}`);
    }
  }
}

function* noBoughtCodeIsMissing({ ledger, keys }, books) {
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
      yield violation(
        'code-missing',
        sold.clientOrderId,
        `${lost.length} of ${codesOf(sold).length} bought codes are not stored`,
      );
    }
  }
}

function* everyPurchaseIsAsIntended({ ledger, suppliers, feePercent }, books) {
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
      yield violation(
        'loss',
        clientOrderId,
        `cap ${purchase.priceCapCents}, the sale brings ${item.salePriceCents} before fees`,
      );
    }
  }
}

function* moneyAddsUp({ ledger, openingBalanceCents, purchases, keys }) {
  const charged = ledger.orders.filter(isCharged);
  const sum = charged.flatMap(({ lines }) => lines).reduce((total, line) => total + line.unitCents * line.quantity, 0);
  if (sum !== ledger.spentCents || openingBalanceCents - ledger.balanceCents !== sum) {
    yield violation(
      'money',
      'CWS',
      `orders of ${sum}, spent ${ledger.spentCents}, balance down by ${openingBalanceCents - ledger.balanceCents}`,
    );
  }
  const ours = purchases.reduce((total, { id, unitPriceCents }) => {
    const count = keys.filter(({ purchaseId }) => purchaseId === id).length;
    return total + count * (unitPriceCents ?? 0);
  }, 0);
  if (ours !== sum) yield violation('money', 'our books', `keys for ${ours}, CWS charged ${sum}`);
}

function* peopleAreCalledForAReason({ orders, alerts }) {
  const waiting = orders.filter(({ state }) => state === 'needs_attention').map(({ id }) => id);
  const open = alerts.filter(({ isOpen }) => isOpen);
  const called = open.filter(({ kind }) => kind === 'order_needs_attention').map(({ subject }) => subject);
  for (const id of waiting)
    if (!called.includes(id)) yield violation('alert', id, 'waits for a person whom nobody called');
  for (const id of called) if (!waiting.includes(id)) yield violation('alert', id, 'a person is called for nothing');
  for (const { kind, subject } of alerts) {
    if (FALSE_ALARMS.includes(kind)) yield violation('alert', subject || kind, `false alarm: ${kind}`);
  }
  if (waiting.length > orders.length * MAX_ATTENTION_SHARE) {
    yield violation('alert', 'run', `${waiting.length} of ${orders.length} orders wait for a person`);
  }
}

function* replicasEndForAReason({ ownExitCodes }) {
  const silent = ownExitCodes.filter((code) => code === 0).length;
  if (silent > 0) yield violation('exit', 'run', `replicas that ended unasked with exit code 0: ${silent}`);
}

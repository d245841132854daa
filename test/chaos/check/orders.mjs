import { byKey, violation } from './books.mjs';
import { falsehoodOf } from './reasons.mjs';

/** Every order that a customer was told of exists once, as it was paid for, and no other does. */
export function* ordersAreThoseOfTheCustomers({ notes, orders, items }, { orderById }) {
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
        const found = `customer ${customer} ordered ${summary(lines)}, there is ${summary(rows)}`;
        yield violation('order-altered', id, found);
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

/** Every order shows exactly its keys, or waits for a person for a reason that is true. */
export function* everyOrderHasItsKeysOrATrueReason(evidence, books) {
  const shown = byKey(evidence.deliveries, 'orderId');
  for (const order of evidence.orders) {
    const items = books.itemsOf(order.id);
    if (order.state === 'needs_attention') {
      const falsehood = falsehoodOf(order, items, evidence, books);
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

/** The keys of an order are the same at every look and at both replicas, were sold for it, and are shown to nobody else. */
export function* keysShownAreTheRightOnes({ notes, deliveries }, books) {
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

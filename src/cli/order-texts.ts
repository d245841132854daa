import type { AuditRow } from '../audit/audit.queries.js';
import type { KeyView, ListedOrder, OrderDossier, PurchaseView } from '../orders/order-views.queries.js';
import type { UnsettledPurchase } from '../orders/reopen-order.queries.js';
import type { ResolvedOrder } from '../orders/resolve-order.service.js';

/** A list of orders as lines, with what each misses and why. */
export function describeList(orders: readonly ListedOrder[]): string[] {
  if (orders.length === 0) return ['none'];
  return orders.flatMap((order) => {
    const { id, g2aOrderId, state, ageSeconds, owedKeys, missingKeys, spareKeys, attentionReason } = order;
    const missing = missingKeys === 0 ? count(owedKeys, 'key') : `${missingKeys} of ${count(owedKeys, 'key')} missing`;
    const spare = spareKeys === 0 ? '' : `, ${spareKeys} spare`;
    const line = `${id}  G2A ${g2aOrderId}  ${state}  ${describeAge(ageSeconds)} old  ${missing}${spare}`;
    return attentionReason === null ? [line] : [line, `  ${attentionReason}`];
  });
}

/** 75 -> "1 min"; two units at most. */
export function describeAge(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${Math.floor(seconds)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Everything about an order as lines. */
export function describeDossier({ order, reservation, items, keys, alerts, history }: OrderDossier): string[] {
  return [
    `order        ${order.id} (G2A ${order.g2aOrderId})`,
    `state        ${order.state}${order.attentionReason === null ? '' : `: ${order.attentionReason}`}`,
    `accepted     ${order.createdAt.toISOString()}, deadline ${order.deadlineAt.toISOString()}`,
    `reservation  ${reservation.id} of ${reservation.createdAt.toISOString()}`,
    ...alerts.map(({ kind, message }) => `alert        ${kind}: ${message}`),
    ...items.flatMap((item) => [
      `product ${item.g2aProductId}: ${item.quantity} at ${item.salePrice ?? '?'}, ${count(item.keyCount, 'key')} came`,
      ...item.purchases.map((purchase) => `  purchase ${describePurchase(purchase)}`),
      ...keys.filter((key) => key.orderItemId === item.id).map((key) => `  key ${describeKey(key)}`),
    ]),
    'history',
    ...history.map((row) => `  ${describeAuditRow(row)}`),
  ];
}

function describePurchase(purchase: PurchaseView): string {
  const facts = [
    `${purchase.quantity} of ${purchase.cwsProductId}`,
    `unit price ${purchase.unitPrice ?? 'not known'} (cap ${purchase.priceCap ?? '?'})`,
    `CWS order ${[purchase.cwsOrderId ?? 'not known', ...purchase.otherCwsOrderIds].join(' and ')}`,
    `sent ${purchase.sendCount === 1 ? 'once' : `${purchase.sendCount} times`}`,
    ...(purchase.awaitedPreorders === 0 ? [] : [`${count(purchase.awaitedPreorders, 'pre-order')} to come`]),
    ...(purchase.lastError === null ? [] : [purchase.lastError]),
  ];
  return `${purchase.clientOrderId}  ${purchase.state}  ${facts.join(', ')}`;
}

function describeKey({ id, kind, isSpare, undeliverableReason, firstDeliveredAt, returnedAt }: KeyView): string {
  const facts = [
    kind,
    firstDeliveredAt === null ? 'not delivered' : `delivered ${firstDeliveredAt.toISOString()}`,
    ...(returnedAt === null ? [] : [`returned ${returnedAt.toISOString()}`]),
    ...(undeliverableReason === null ? [] : [`cannot be delivered: ${undeliverableReason}`]),
    ...(isSpare ? ['SPARE: owed to nobody'] : []),
  ];
  return `${id}  ${facts.join(', ')}`;
}

function describeAuditRow({ at, actor, action, details }: AuditRow): string {
  const facts = Object.entries(details).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${at.toISOString()}  ${actor}  ${action}  ${facts.join(', ')}`;
}

/**
 * What retrying would give up, of the purchases of an order.
 * @param giveUp those that the person has named.
 * @param unsettled those whose request may still arrive: until then nothing is retried.
 */
export function describeRetry(
  purchases: readonly PurchaseView[],
  giveUp: readonly string[],
  unsettled: readonly UnsettledPurchase[],
): string[] {
  const unknown = purchases
    .filter(({ state }) => state === 'unknown')
    .map(({ clientOrderId }) => clientOrderId)
    .filter((reference) => !unsettled.some(({ clientOrderId }) => clientOrderId === reference));
  const named = giveUp.map((reference) => reference.toLowerCase());
  const accepted = purchases.filter(({ state }) => state === 'fulfilling');
  return [
    `Unknown purchases, given up: ${unknown.length === 0 ? 'none' : unknown.join(', ')}.`,
    ...unsettled.map(
      ({ clientOrderId, settlesAt }) =>
        `Not given up: ${clientOrderId}. Its request may still arrive until ${settlesAt.toISOString()}; run this again then.`,
    ),
    ...accepted.map(({ id, clientOrderId }) =>
      named.includes(id) || named.includes(clientOrderId.toLowerCase())
        ? `Accepted by CWS and given up: ${clientOrderId}. It is paid; CWS is asked about it for 24 hours more.`
        : `Accepted by CWS and waited for: ${clientOrderId}. To give it up as well: --give-up ${clientOrderId}`,
    ),
  ];
}

/** What resolving did, or would do. */
export function describeResolution(orderId: string, outcome: ResolvedOrder, isDryRun: boolean): string[] {
  const { from, to, isChanged, missingKeys, releasedPieces, abandonedPurchases, openPurchases } = outcome;
  if (!isChanged) return [`${orderId} is ${to} already: nothing changed`];
  return [
    `${orderId}: ${from} -> ${to}${isDryRun ? ' (dry run: not applied)' : ''}`,
    `  ${count(missingKeys, 'missing key')}; held pieces that are free again: ${releasedPieces}`,
    ...abandonedPurchases.map((id) => `  purchase ${id} was never sent, and is not any more`),
    ...openPurchases.map((id) => `  purchase ${id} may have been made: its keys, if any come, are kept as spare`),
  ];
}

/** 1 -> "1 key", 2 -> "2 keys". */
function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

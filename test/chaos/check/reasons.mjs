import { isCharged, LIVE } from './books.mjs';
import { falsehoodOfMarket } from './market.mjs';

/** So long before a reason was written, what CWS answered may be what it speaks of. */
const RECENT_MS = 60_000;

/** What is not true about the reasons why a person was called, one for each item; null when all hold against the ledger. */
export function falsehoodOf({ id, attentionReason }, items, evidence, books) {
  const missing = items.filter((item) => books.keysOf(item.id).length < item.quantity);
  if (missing.length === 0) return 'no key is missing';
  const reasons = attentionReason.split(/(?<=^|\. )(?=purchase KF-|product \d)/);
  for (const [index, reason] of reasons.entries()) {
    const text = index === reasons.length - 1 ? reason : reason.replace(/\. $/, '');
    const falsehood =
      falsehoodOfPurchase(id, text, missing, books) ?? falsehoodOfProduct(id, text, missing, evidence, books);
    if (falsehood !== null) return falsehood;
  }
  return null;
}

const PURCHASE = /^purchase (KF-\S+) (has no known outcome|has no key (?:by the deadline|yet))/;
const SENT = /, sent (once|\d+ times);/;
/** CWS may know what it could not be asked for. */
const WAS_NOT_ASKED = /^\S+ \S+ has no known outcome \(the last look-up failed: /;

function falsehoodOfPurchase(id, text, missing, books) {
  const [, reference, claim] = PURCHASE.exec(text) ?? [];
  if (reference === undefined) return null;
  const purchase = books.purchaseByReference.get(reference);
  if (books.orderOf(purchase) !== id) return 'the purchase is not one of this order';
  if (!missing.some((item) => item.id === purchase.orderItemId)) return 'the keys of its item are all there';
  const sold = books.soldUnder(reference);
  if (sold.some(isCharged)) return 'CWS has charged for it and has its codes';
  if (claim !== 'has no known outcome') return sold.length > 0 ? null : 'CWS has no order of it';
  const [, sent] = SENT.exec(text) ?? [];
  // For an order that waits for a person nothing is sent again: the number is the same to the end.
  if (sent !== undefined && (sent === 'once' ? 1 : parseInt(sent, 10)) !== purchase.sendCount) {
    return `it was sent ${purchase.sendCount} times`;
  }
  if (sold.length === 0 || WAS_NOT_ASKED.test(text)) return null;
  return `CWS knows the outcome: ${sold[0].status}`;
}

const PRODUCT = /^product (\d+): (\d+) of (\d+) keys? could not be bought in time: (.*)$/s;
const NOT_COMPARED = 'CWS did not tell what it has sold, with which this database must be compared';
const RESTORED = 'CWS has orders of this installation that its database does not know';
const DETAILS = new RegExp(
  `^(?:(?<obstacle>${NOT_COMPARED}|${RESTORED}); )?` +
    '(?<market>no exchange rate is known|no supplier has stock|' +
    'the cheapest supplier in stock asks (?<asked>-?\\d+\\.\\d\\d) EUR, the sale leaves (?<income>-?\\d+\\.\\d\\d) EUR)' +
    '(?:; last try: (?<failure>.*))?$',
  's',
);

function falsehoodOfProduct(id, text, missing, evidence, books) {
  if (PURCHASE.test(text)) return null;
  const [, product, count, quantity, details] = PRODUCT.exec(text) ?? [];
  if (product === undefined) return 'not a reason that this check knows';
  const item = missing.find(({ g2aProductId }) => String(g2aProductId) === product);
  if (item === undefined) return 'no key of this product is missing';
  if (item.quantity !== Number(quantity)) return `${item.quantity} were ordered`;
  const owed = item.quantity - books.keysOf(item.id).length;
  if (owed !== Number(count)) return `${owed} are missing`;
  const live = books.purchasesOf(item.id).find(({ state }) => LIVE.includes(state));
  if (live !== undefined) return `purchase ${live.clientOrderId} is ${live.state}`;

  const { groups: told } = DETAILS.exec(details) ?? {};
  if (told === undefined) return 'not numbers that this check knows';
  const atMs = books.callById.get(id)?.lastRaisedAtMs ?? Infinity;
  return (
    falsehoodOfObstacle(told, atMs, evidence) ??
    falsehoodOfMarket(told, { item, owed, atMs }, evidence) ??
    falsehoodOfFailure(told, item, books)
  );
}

function falsehoodOfObstacle({ obstacle }, atMs, { historyAnswers }) {
  // No back-up is restored in a run.
  if (obstacle === RESTORED) return 'CWS has no order that the database does not know';
  const isTrue =
    obstacle === undefined ||
    historyAnswers.some((answer) => answer.status !== 200 && answer.atMs <= atMs && answer.atMs > atMs - RECENT_MS);
  return isTrue ? null : 'CWS has answered every question about its orders';
}

/** What came of the last try, against the program's own books and against CWS's. */
function falsehoodOfFailure({ failure, asked, income, obstacle }, item, books) {
  const last = books
    .purchasesOf(item.id)
    .sort((a, b) => a.createdAtMs - b.createdAtMs)
    .at(-1);
  const known = last?.lastError ?? undefined;
  if (failure !== known) return `the last try came to: ${known ?? 'nothing that went wrong'}`;
  if (failure === undefined) {
    const isBuyable = obstacle === undefined && asked !== undefined && Number(asked) <= Number(income);
    return isBuyable ? 'nothing stood against buying' : null;
  }
  const sold = books.soldUnder(last.clientOrderId);
  const [, status] = /^cws POST \/v3\/orders: HTTP (\d+)/.exec(failure) ?? [];
  if (status !== undefined) {
    const wasSo = books.postsOf(last.clientOrderId).some((post) => post.status === Number(status));
    return wasSo && sold.length === 0 ? null : `CWS has not refused it with ${status}`;
  }
  const [, end] = /^CWS: (cancelled|failed)$/.exec(failure) ?? [];
  if (end !== undefined) {
    return sold.some((order) => order.status.toLowerCase() === end) ? null : `CWS has no order of it that it ${end}`;
  }
  if (/^(?:not sent before the deadline|never sent, and not needed any more)/.test(failure)) {
    return sold.length === 0 ? null : 'CWS has got it';
  }
  return 'not an end of a purchase that this check knows';
}

import { isCharged } from './books.mjs';

/** A supplier with so many times what all customers wanted of a product had some left, whoever held how much of it. */
const PLENTY = 10;
/** What the program shows of a supplier is younger than this: it looks every few seconds. */
const SNAPSHOT_AGE_MS = 60_000;

/**
 * What a reason says about stock and prices, against what the suppliers really had when it was written. Prices stay as they are in a
 * run, and stock goes down by what is sold, so both are known for every moment.
 */
export function falsehoodOfMarket({ market, asked, income }, { item, owed, atMs }, evidence) {
  const suppliers = evidence.suppliers[item.g2aProductId].map((productId) => {
    const stock = stockAt(productId, atMs, evidence);
    return {
      productId,
      stock,
      hasPlenty: stock > PLENTY * wantedOf(item.g2aProductId, evidence),
      mayShowStock: stockAt(productId, atMs - SNAPSHOT_AGE_MS, evidence) > 0,
      unitCents: unitCents(evidence.market[productId].bands, Math.max(1, Math.min(owed, stock))),
    };
  });
  // The account is in euros, and G2A's prices are.
  if (market === 'no exchange rate is known') return 'none is needed';
  if (market === 'no supplier has stock') {
    const other = suppliers.find(({ productId, hasPlenty }) => hasPlenty && !isRefusing(productId, atMs, evidence));
    return other === undefined ? null : `${other.productId} had ${other.stock} pieces, and did not refuse any`;
  }
  const askedCents = toCents(asked);
  if (!suppliers.some((supplier) => supplier.mayShowStock && supplier.unitCents === askedCents)) {
    return `no supplier in stock asks ${asked}`;
  }
  const cheaper = suppliers.find((supplier) => supplier.hasPlenty && supplier.unitCents < askedCents);
  if (cheaper !== undefined) return `${cheaper.productId} asks ${cheaper.unitCents} cents`;
  const incomeCents = Math.floor((item.salePriceCents * (100 - evidence.feePercent)) / 100);
  if (toCents(income) !== incomeCents) return `the sale leaves ${incomeCents} cents`;
  if (askedCents <= incomeCents) return null;
  // The piece was promised at a price that pays for it, and is held: whatever others have reserved, it must have been sold to be gone.
  const payable = suppliers.find(
    ({ productId, stock, unitCents: cents }) =>
      cents <= incomeCents && stock >= owed && !isRefusing(productId, atMs, evidence),
  );
  return payable === undefined
    ? null
    : `${payable.productId} still had ${payable.stock} pieces at ${payable.unitCents} cents`;
}

function stockAt(productId, atMs, { market, ledger }) {
  const sold = ledger.orders
    .filter((order) => isCharged(order) && order.createdAtMs <= atMs)
    .flatMap(({ lines }) => lines.filter((line) => line.productId === productId))
    .reduce((sum, { quantity }) => sum + quantity, 0);
  return market[productId].openingStock - sold;
}

function wantedOf(g2aProductId, { notes }) {
  return notes
    .flatMap(({ lines }) => lines.filter((line) => line.g2aProductId === g2aProductId))
    .reduce((sum, { quantity }) => sum + quantity, 0);
}

/** Whether the last word that CWS said to a purchase of this product was a refusal. */
function isRefusing(productId, atMs, { posts }) {
  const last = posts.findLast(
    (post) => post.productId === productId && post.atMs <= atMs && [200, 400, 404].includes(post.status),
  );
  return last !== undefined && last.status !== 200;
}

function unitCents(bands, quantity) {
  return bands.find(({ from, to }) => from <= quantity && (to === null || quantity <= to))?.cents;
}

function toCents(euros) {
  return Math.round(Number(euros) * 100);
}

/**
 * Whether one order of which the process died ended as promised: its keys were bought once, are delivered, and nothing else was
 * bought. With the look-ups trusted and a supplier that answers, a person is never needed.
 * @returns what was broken, one line each; none when all is well.
 */
export function judge({ quantity, orders, purchases, delivered, bought, strangers }) {
  const paid = bought.filter(({ end }) => end === 'Completed');
  const codes = paid.flatMap(({ lines }) => lines.flatMap((line) => line.codes.map(({ code }) => code)));
  const [order] = orders;
  const broken = [];
  if (orders.length !== 1) broken.push(`there are ${orders.length} orders`);
  if (strangers > 0) broken.push(`CodesWholesale has ${strangers} orders that no purchase stands for`);
  if (codes.length > quantity) broken.push(`${codes.length} keys were bought, ${quantity} ordered`);
  const references = new Set(paid.map(({ clientOrderId }) => clientOrderId));
  if (references.size < paid.length) broken.push(`${references.size} purchases were bought ${paid.length} times`);
  if (order?.state !== 'completed') broken.push(`the order is ${order?.state}: ${order?.attentionReason}`);
  if (JSON.stringify([...delivered].sort()) !== JSON.stringify(codes.sort())) {
    broken.push(`${codes.length} keys were bought, ${delivered.length} are delivered`);
  }
  const live = purchases.filter(({ state }) => state !== 'completed' && state !== 'dead');
  if (live.length > 0) broken.push(`a purchase stays ${live[0].state}`);
  return broken;
}

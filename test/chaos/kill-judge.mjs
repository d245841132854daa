/**
 * Whether one order of which the process died ended as promised: its key was bought once, is delivered, and nothing else was
 * bought. With the look-ups trusted and a supplier that answers, a person is never needed.
 * @returns what was broken, one line each; none when all is well.
 */
export function judge({ orders, purchases, delivered, bought, strangers }) {
  const paid = bought.filter(({ end }) => end === 'Completed');
  const codes = paid.flatMap(({ lines }) => lines.flatMap((line) => line.codes.map(({ code }) => code)));
  const [order] = orders;
  const broken = [];
  if (orders.length !== 1) broken.push(`there are ${orders.length} orders`);
  if (strangers > 0) broken.push(`CodesWholesale has ${strangers} orders that no purchase stands for`);
  if (paid.length > 1) broken.push(`bought ${paid.length} times`);
  if (order?.state !== 'completed') broken.push(`the order is ${order?.state}: ${order?.attentionReason}`);
  if (JSON.stringify(delivered) !== JSON.stringify(codes)) {
    broken.push(`${codes.length} keys were bought, ${delivered.length} are delivered`);
  }
  const live = purchases.filter(({ state }) => state !== 'completed' && state !== 'dead');
  if (live.length > 0) broken.push(`a purchase stays ${live[0].state}`);
  return broken;
}

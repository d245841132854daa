import type { Cents } from '../../money/cents.js';
import { isWireObject, readObject, WireShapeError } from '../../upstream/wire.js';
import type { SimulatedSale } from '../g2a.types.js';
import { readLowestOfCountries } from './price.mapping.js';

/**
 * What a sale at `price` leaves, from `{income: {PL: "5.01"}, businessIncome: {…}}`, bare or within `data`. An income above
 * the price is not understood: whatever it counts, it is not euros that are left of this price. @throws WireShapeError
 */
export function readSimulation(body: unknown, price: Cents): SimulatedSale {
  const answer = readObject(body, 'body');
  const simulation = isWireObject(answer['data']) ? answer['data'] : answer;
  const income = readIncome(simulation['income'], 'income', price);
  if (income === null) throw new WireShapeError('income', 'is missing');
  return { income, businessIncome: readIncome(simulation['businessIncome'], 'businessIncome', price) };
}

function readIncome(value: unknown, field: string, price: Cents): Cents | null {
  // An empty map may come as an empty list: that is how PHP writes it.
  const isEmpty = Array.isArray(value) ? value.length === 0 : isWireObject(value) && Object.keys(value).length === 0;
  if (isEmpty) return null;
  const income = readLowestOfCountries(value, field);
  if (income !== null && income > price) throw new WireShapeError(field, 'is more than the price');
  return income;
}

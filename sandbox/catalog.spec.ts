import { expect, it } from '@jest/globals';
import { alternativeEntry, catalogEntry } from './catalog.js';
import { nextG2aOrderId } from './customer.js';

it('makes the same catalogue every time, with bands that get cheaper and a few games out of stock', () => {
  const entries = Array.from({ length: 1_000 }, (_unused, index) => catalogEntry(index + 1));
  expect(entries).toEqual(Array.from({ length: 1_000 }, (_unused, index) => catalogEntry(index + 1)));
  expect(new Set(entries.map(({ name }) => name)).size).toBe(1_000);
  for (const { bands } of entries) {
    const sorted = bands.toSorted((one, other) => one.from - other.from);
    expect(sorted.length).toBeGreaterThanOrEqual(2);
    expect(sorted.at(-1)?.to).toBeNull();
    for (const [index, band] of sorted.slice(1).entries()) {
      expect(band.cents).toBeLessThan(sorted[index]!.cents);
      expect(band.from).toBe(sorted[index]!.to! + 1);
      expect(band.cents).toBeGreaterThan(0);
    }
  }
  expect(entries.filter(({ quantity }) => quantity === 0)).toHaveLength(43);
  expect(alternativeEntry(1).name).toBe(catalogEntry(1).name);
});

it('never gives a G2A order id twice', () => {
  const ids = Array.from({ length: 1_000 }, () => nextG2aOrderId());
  expect(new Set(ids).size).toBe(1_000);
  expect(ids.every((id) => Number.isSafeInteger(id) && String(id).length >= 14)).toBe(true);
});

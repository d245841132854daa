import { parseIsoDate, readCents, readCount, readText, WireShapeError } from './wire.js';

describe('wire readers', () => {
  it.each([
    ['2020-08-26T22:00:00.000Z', '2020-08-26T22:00:00.000Z'],
    ['2020-08-26T22:00:00', '2020-08-26T22:00:00.000Z'],
    ['2020-08-26 22:00', '2020-08-26T22:00:00.000Z'],
    ['2020-08-26', '2020-08-26T00:00:00.000Z'],
    ['2020-08-26T22:00:00+02:00', '2020-08-26T20:00:00.000Z'],
    ['2020-08-26T22:00:00+0200', '2020-08-26T20:00:00.000Z'],
  ])('read the date %s', (text, expected) => {
    expect(parseIsoDate(text)?.toISOString()).toBe(expected);
  });

  it.each(['yesterday', '', '2020-13-41', 1598479200000, null, undefined])('do not guess a date from %p', (value) => {
    expect(parseIsoDate(value)).toBeNull();
  });

  it('name the field that was not understood and not its value', () => {
    expect(() => readText(17, 'code')).toThrow(new WireShapeError('code', 'is not a text'));
    expect(() => readCents('12,50', 'price', 'up')).toThrow('price is not an amount');
    expect(() => readCents(null, 'price', 'up')).toThrow('price is not an amount');
    expect(() => readCount(1.5, 'size')).toThrow('size is not a whole number');
    expect(() => readCount('1', 'size')).toThrow('size is not a whole number');
  });
});

import { BadRequestException } from '@nestjs/common';
import {
  readG2aProductId,
  readLimit,
  readOrderId,
  readOrderState,
  readPauseReason,
  readSubject,
} from './admin-input.js';

function refusalOf(read: () => unknown): unknown {
  try {
    return { accepted: read() };
  } catch (error) {
    return error instanceof BadRequestException ? error.getResponse() : error;
  }
}

describe('admin input', () => {
  it.each([
    ['limit', () => readLimit('0')],
    ['limit', () => readLimit('501')],
    ['limit', () => readLimit('ten')],
    ['limit', () => readLimit('1e2')],
    ['limit', () => readLimit(['1', '2'])],
    ['limit', () => readLimit('')],
    ['g2aProductId', () => readG2aProductId('9007199254740992')],
    ['g2aProductId', () => readG2aProductId('-1')],
    ['state', () => readOrderState('sold')],
    ['state', () => readOrderState(['accepted'])],
    ['id', () => readOrderId('42')],
    ['subjectId', () => readSubject('subjectId', 'x'.repeat(65))],
    ['subjectType', () => readSubject('subjectType', ['a', 'b'])],
    ['subjectType', () => readSubject('subjectType', 'order\0')],
    ['reason', () => readPauseReason({ reason: 'x'.repeat(501) })],
    ['reason', () => readPauseReason({ reason: 5 })],
    ['body', () => readPauseReason('a text')],
  ])('names the field %s when refusing it (%#)', (field, read) => {
    expect(refusalOf(read)).toEqual({
      code: 'invalid_request',
      message: expect.stringMatching(new RegExp(`^${field}: expected `)),
    });
  });

  it('has defaults for what is not given', () => {
    expect([readLimit(undefined), readOrderState(undefined), readSubject('subjectId', undefined)]).toEqual([
      50,
      null,
      null,
    ]);
    expect([readPauseReason(undefined), readPauseReason(null), readPauseReason({})]).toEqual([null, null, null]);
  });

  it('reads what is good', () => {
    expect(readLimit('500')).toBe(500);
    expect(readG2aProductId('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(readOrderState('needs_attention')).toBe('needs_attention');
    expect(readOrderId('7D444840-9dc0-11d1-b245-5ffdce74fad2')).toBe('7D444840-9dc0-11d1-b245-5ffdce74fad2');
    expect(readSubject('subjectType', 'order')).toBe('order');
    expect(readPauseReason({ reason: 'holiday' })).toBe('holiday');
  });
});

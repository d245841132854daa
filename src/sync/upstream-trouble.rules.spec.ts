import { UpstreamError, type UpstreamErrorKind } from '../upstream/upstream-error.js';
import { isAboutTheQuestion } from './upstream-trouble.rules.js';

describe('a failure', () => {
  it.each<[UpstreamErrorKind, number | undefined, boolean]>([
    ['rejected', 400, true],
    ['rejected', 404, true],
    ['unknown', 200, true],
    ['rejected', 401, false],
    ['rejected', 403, false],
    ['unknown', 403, false],
    ['retry', 500, false],
    ['retry', undefined, false],
    ['retry_after', 429, false],
  ])('of kind %s with status %s is about the question: %s', (kind, status, isAboutIt) => {
    expect(isAboutTheQuestion(new UpstreamError({ system: 'cws', kind, subject: 'GET', status }))).toBe(isAboutIt);
  });

  it('that is no failure of a call is not', () => {
    expect(isAboutTheQuestion(new TypeError('ours'))).toBe(false);
  });
});

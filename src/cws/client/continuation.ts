import { WireShapeError } from '../../upstream/wire.js';

/** Follows the continuation tokens of one listing, and stops at one that comes twice: its pages would never end. */
export class Continuation {
  readonly #seen = new Set<string>();
  #token: string | null;

  /** @param token where an earlier one was left; null: from the first page. */
  constructor(token: string | null = null) {
    this.#token = token;
  }

  /** What to add to the query of the next page. */
  get query(): Record<string, string> {
    return this.#token === null ? {} : { continuationToken: this.#token };
  }

  /**
   * Goes on with a page's token.
   * @returns whether there is another page.
   * @throws WireShapeError when the token came before.
   */
  advance(token: string | null): boolean {
    if (token !== null && this.#seen.has(token)) throw new WireShapeError('continuationToken', 'repeats itself');
    if (token !== null) this.#seen.add(token);
    this.#token = token;
    return token !== null;
  }
}

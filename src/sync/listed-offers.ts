import type { FollowedOffer } from '../catalog/observed-offers.queries.js';

/** The dropshipping offers of a listing, by product. One offer of a product is the rule, and there may be 100,000: a set for each would not be. */
export class ListedOffers {
  private readonly first = new Map<number, string>();
  private readonly further = new Map<number, Set<string>>();

  /** Pages may shift while they are read, and show an offer twice. */
  add({ g2aProductId, g2aOfferId }: FollowedOffer): void {
    const first = this.first.get(g2aProductId);
    if (first === undefined) this.first.set(g2aProductId, g2aOfferId);
    else if (first !== g2aOfferId) {
      this.further.set(g2aProductId, (this.further.get(g2aProductId) ?? new Set()).add(g2aOfferId));
    }
  }

  /** Whether the product has one. */
  has(g2aProductId: number): boolean {
    return this.first.has(g2aProductId);
  }

  /** Whether this very offer was listed. */
  shows({ g2aProductId, g2aOfferId }: FollowedOffer): boolean {
    return this.first.get(g2aProductId) === g2aOfferId || this.further.get(g2aProductId)?.has(g2aOfferId) === true;
  }

  /**
   * Products that have several offers, or another one than is followed.
   * @param followed offers by product; null: none is.
   */
  *unlike(followed: ReadonlyMap<number, string | null>): Iterable<[product: number, offers: string[]]> {
    for (const [product, first] of this.first) {
      const further = this.further.get(product);
      const ours = followed.get(product);
      if (further !== undefined || (ours !== null && ours !== first)) yield [product, [first, ...(further ?? [])]];
    }
  }
}

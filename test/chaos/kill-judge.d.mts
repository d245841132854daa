/** What is left of one order in which the process was stopped. */
export interface End {
  /** Keys that were ordered. */
  readonly quantity: number;
  readonly orders: readonly { readonly state: string; readonly attentionReason: string | null }[];
  readonly purchases: readonly { readonly state: string }[];
  /** The values that the inventory shows. */
  readonly delivered: readonly string[];
  /** CodesWholesale's orders under this order's purchases, as in its ledger. */
  readonly bought: readonly {
    readonly clientOrderId: string;
    readonly end: string;
    readonly lines: readonly { readonly codes: readonly { readonly code: string }[] }[];
  }[];
  /** CodesWholesale's orders that no purchase stands for. */
  readonly strangers: number;
}

export function judge(end: End): string[];

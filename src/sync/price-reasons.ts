const REASONS: ReadonlyMap<string, string> = new Map([
  ['for_sale', 'for sale'],
  ['unmapped', 'no mapping names this product'],
  ['disabled', 'its mapping is disabled'],
  ['deactivated_by_g2a', 'G2A has deactivated the offer; "offers clear" publishes it again'],
  ['switched_off_at_g2a', 'it was switched off at G2A, not by us; "offers clear" publishes it again'],
  ['paused', 'selling is paused'],
  ['service_disabled', 'SERVICE_ENABLED is false'],
  ['no_exchange_rate', 'the account is not in euros, and no rate that is new enough is known; see "rates set"'],
  ['no_supplier_data', 'CodesWholesale has not answered for any of its suppliers yet'],
  ['stale', 'no supplier was heard of lately'],
  ['out_of_stock', 'no supplier has keys that this price pays for, beyond those held and the stock buffer'],
  ['no_price', 'the supplier names no positive price for a single key'],
  ['price_unconfirmed', 'the supplier shows a new price that is not believed yet, and the old one may lose money'],
  ['price_above_maximum', 'the price that keeps the profit is above a maximum'],
  ['no_profitable_price', 'by the word of G2A, its fees take all of any price'],
  ['balance_too_low', 'the account at CodesWholesale cannot pay one more key'],
  ['awaiting_simulation', 'G2A has not said yet what a sale at this price earns'],
  ['cannot_be_priced', 'its numbers lead to an absurd price'],
]);

/** A reason of an offer's desired state as a sentence; the reason itself when it has none. */
export function describeReason(reason: string): string {
  return REASONS.get(reason) ?? reason;
}

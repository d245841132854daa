/**
 * Whose request goes first where a limit is short, from first to last:
 * - `urgent`: a customer waits for the answer, or what cannot be honored is being sold;
 * - `normal`: everything that does not say;
 * - `loss`: prices that lose money: there may be as many as there are offers, and a stop that turns up later must find room;
 * - `upkeep`: what tells whether earlier requests had their effect (jobs, listings);
 * - `bulk`: often very many at once (prices that could be better, offers that are back in stock);
 * - `background`: can wait, and leaves the last 10 % of a limit to those above (the supplier's change feed);
 * - `spare`: only from what is not needed, and leaves the last 20 % (the sweep, stock cosmetics).
 * `loss` leaves the last 3 % to the first two, `upkeep` and `bulk` the last 2 %: little, for `loss` and `bulk` are spread over the
 * window besides, so that room keeps coming back.
 */
export type RequestPriority = 'urgent' | 'normal' | 'loss' | 'upkeep' | 'bulk' | 'background' | 'spare';

/** First to last. */
export const REQUEST_PRIORITIES = [
  'urgent',
  'normal',
  'loss',
  'upkeep',
  'bulk',
  'background',
  'spare',
] as const satisfies RequestPriority[];

/** The part of a limit that a priority leaves untouched. */
const LEAVES: Readonly<Record<RequestPriority, number>> = {
  urgent: 0,
  normal: 0,
  loss: 0.03,
  upkeep: 0.02,
  bulk: 0.02,
  background: 0.1,
  spare: 0.2,
};

/**
 * The part of a limit that may be sent without a pause after a rest, of priorities that are spread over the window: some changes
 * at a time are nothing to be spread, and a loss is stopped soon.
 */
export const AT_ONCE: Readonly<Partial<Record<RequestPriority, number>>> = { loss: 0.5, bulk: 0.1 };

/** How many requests of a window may be used when one of this priority is added; at least 1, so that nothing stands still for good. */
export function requestsWithin(priority: RequestPriority, requests: number): number {
  return Math.max(1, requests - Math.ceil(requests * LEAVES[priority]));
}

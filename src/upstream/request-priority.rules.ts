/**
 * Whose request goes first where a limit is short, from first to last:
 * - `urgent`: a customer waits for the answer, or money is being lost;
 * - `normal`: everything that does not say;
 * - `bulk`: often very many at once: leaves the last 4 % and is spread over the window, so that what turns out to be urgent a
 *   little later finds room (prices that could be better, offers that are back in stock);
 * - `background`: can wait, and leaves the last 10 % of a limit to those above (the supplier's change feed);
 * - `spare`: only from what is not needed, and leaves the last 20 % (the sweep, stock cosmetics).
 */
export type RequestPriority = 'urgent' | 'normal' | 'bulk' | 'background' | 'spare';

/** First to last. */
export const REQUEST_PRIORITIES = [
  'urgent',
  'normal',
  'bulk',
  'background',
  'spare',
] as const satisfies RequestPriority[];

/** The part of a limit that a priority leaves untouched. */
const LEAVES: Readonly<Record<RequestPriority, number>> = {
  urgent: 0,
  normal: 0,
  bulk: 0.04,
  background: 0.1,
  spare: 0.2,
};

/** How many requests of a window may be used when one of this priority is added; at least 1, so that nothing stands still for good. */
export function requestsWithin(priority: RequestPriority, requests: number): number {
  return Math.max(1, requests - Math.ceil(requests * LEAVES[priority]));
}

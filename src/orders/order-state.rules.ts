/** States of an order: those that a good one passes, then those of people. */
export const ORDER_STATES = [
  'accepted',
  'purchasing',
  'fulfilling',
  'completed',
  'needs_attention',
  'failed',
  'resolved',
] as const;
export type OrderState = (typeof ORDER_STATES)[number];

/** Orders in one of these are worked on without a person. */
export const UNFINISHED_ORDER_STATES = [
  'accepted',
  'purchasing',
  'fulfilling',
] as const satisfies readonly OrderState[];

/**
 * What a person may decide about an order that is not completed, and the final state that it leads to. Keys that come
 * afterwards are stored and delivered to nobody.
 */
export const RESOLUTION_STATES = {
  delivered_by_hand: 'resolved',
  refunded: 'failed',
} as const satisfies Record<string, OrderState>;
export type Resolution = keyof typeof RESOLUTION_STATES;

/** The final states that a person decides on. */
export const RESOLVED_ORDER_STATES = Object.values(RESOLUTION_STATES) satisfies readonly OrderState[];

/** Whether a person has settled the order: nothing is bought for it, and no key is delivered that was not delivered before. */
export function isResolved(state: OrderState): boolean {
  return RESOLVED_ORDER_STATES.some((resolved) => resolved === state);
}

/** Whether nothing is bought for the order any more: its keys have come, or a person has settled it. */
export function isOrderOver(state: OrderState): boolean {
  return state === 'completed' || isResolved(state);
}

/** States of a purchase. The first three are live: at most one per order item and supplier product may exist. */
export const PURCHASE_STATES = ['intended', 'unknown', 'fulfilling', 'completed', 'dead'] as const;
export type PurchaseState = (typeof PURCHASE_STATES)[number];

/** A purchase in one of these may still cost money or bring a key. */
export const LIVE_PURCHASE_STATES = ['intended', 'unknown', 'fulfilling'] as const satisfies readonly PurchaseState[];

/**
 * Which state may follow which. The guarded updates in purchases.queries.ts are the only writers.
 */
export const ORDER_TRANSITIONS: Readonly<Record<OrderState, readonly OrderState[]>> = {
  accepted: ['purchasing', 'needs_attention', 'failed', 'resolved'],
  purchasing: ['fulfilling', 'completed', 'needs_attention', 'failed', 'resolved'],
  fulfilling: ['purchasing', 'completed', 'needs_attention', 'failed', 'resolved'],
  needs_attention: ['purchasing', 'completed', 'failed', 'resolved'],
  completed: [],
  failed: [],
  resolved: [],
};

export const PURCHASE_TRANSITIONS: Readonly<Record<PurchaseState, readonly PurchaseState[]>> = {
  intended: ['unknown', 'fulfilling', 'completed', 'dead'],
  unknown: ['fulfilling', 'completed', 'dead'],
  fulfilling: ['completed', 'dead'],
  completed: [],
  dead: [],
};

/**
 * Every state can be reached from the first one, and every state is defined. Checked at boot, so that a transition added
 * in haste does not strand an order.
 * @throws Error naming the unreachable or undefined states.
 */
export function assertTransitionsAreSound<S extends string>(table: Readonly<Record<S, readonly S[]>>, first: S): void {
  const states = Object.keys(table) as S[];
  const undefinedTargets = states.flatMap((state) => table[state]).filter((target) => !states.includes(target));
  const reached = new Set<S>([first]);
  for (const state of reached) {
    for (const target of table[state]) if (states.includes(target)) reached.add(target);
  }
  const unreachable = states.filter((state) => !reached.has(state));
  if (undefinedTargets.length > 0 || unreachable.length > 0) {
    throw new Error(
      `order states are unsound: undefined [${undefinedTargets.join(', ')}], unreachable [${unreachable.join(', ')}]`,
    );
  }
}

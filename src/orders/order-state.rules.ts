/** States of an order, in the order in which a good one passes them. */
export const ORDER_STATES = ['accepted', 'purchasing', 'fulfilling', 'completed', 'needs_attention', 'failed'] as const;
export type OrderState = (typeof ORDER_STATES)[number];

/** States of a purchase. The first three are live: at most one live purchase per order item may exist. */
export const PURCHASE_STATES = ['intended', 'unknown', 'fulfilling', 'completed', 'dead'] as const;
export type PurchaseState = (typeof PURCHASE_STATES)[number];

/** A purchase in one of these may still cost money or bring a key. */
export const LIVE_PURCHASE_STATES = ['intended', 'unknown', 'fulfilling'] as const satisfies readonly PurchaseState[];

/**
 * Which state may follow which. The guarded updates in purchases.queries.ts are the only writers.
 */
export const ORDER_TRANSITIONS: Readonly<Record<OrderState, readonly OrderState[]>> = {
  accepted: ['purchasing', 'needs_attention', 'failed'],
  purchasing: ['fulfilling', 'completed', 'needs_attention', 'failed'],
  fulfilling: ['purchasing', 'completed', 'needs_attention', 'failed'],
  needs_attention: ['purchasing', 'fulfilling', 'completed', 'failed'],
  completed: [],
  failed: [],
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

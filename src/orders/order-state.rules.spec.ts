import {
  assertTransitionsAreSound,
  LIVE_PURCHASE_STATES,
  ORDER_STATES,
  ORDER_TRANSITIONS,
  PURCHASE_STATES,
  PURCHASE_TRANSITIONS,
} from './order-state.rules.js';

describe('the transition tables', () => {
  it('are sound', () => {
    expect(() => {
      assertTransitionsAreSound(ORDER_TRANSITIONS, 'accepted');
      assertTransitionsAreSound(PURCHASE_TRANSITIONS, 'intended');
    }).not.toThrow();
  });

  it('name every state that the database allows', () => {
    expect(Object.keys(ORDER_TRANSITIONS).sort()).toEqual([...ORDER_STATES].sort());
    expect(Object.keys(PURCHASE_TRANSITIONS).sort()).toEqual([...PURCHASE_STATES].sort());
  });

  it('let exactly the live purchases go on', () => {
    const live = PURCHASE_STATES.filter((state) => PURCHASE_TRANSITIONS[state].length > 0);
    expect(live).toEqual([...LIVE_PURCHASE_STATES]);
  });

  it('are refused with a state that cannot be reached, or that is not defined', () => {
    const unreachable: Record<'a' | 'b', readonly ('a' | 'b')[]> = { a: [], b: ['a'] };
    expect(() => {
      assertTransitionsAreSound(unreachable, 'a');
    }).toThrow('unreachable [b]');
    const dangling: Record<string, readonly string[]> = { a: ['c'] };
    expect(() => {
      assertTransitionsAreSound(dangling, 'a');
    }).toThrow('undefined [c]');
  });
});

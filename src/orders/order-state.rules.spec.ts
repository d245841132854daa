import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  assertTransitionsAreSound,
  LIVE_PURCHASE_STATES,
  ORDER_STATES,
  ORDER_TRANSITIONS,
  PURCHASE_STATES,
  PURCHASE_TRANSITIONS,
} from './order-state.rules.js';

/** The table as the documentation draws it. */
function arrows(table: Readonly<Record<string, readonly string[]>>, first: string): string[] {
  const drawn = Object.entries(table).flatMap(([from, to]) =>
    (to.length === 0 ? ['[*]'] : to).map((target) => `${from} --> ${target}`),
  );
  return [`[*] --> ${first}`, ...drawn].sort();
}

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

  it('are what the diagrams in docs/fulfillment.md show', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/fulfillment.md'), 'utf8');
    const drawn = [...page.matchAll(/^stateDiagram-v2\n(.*?)^```/gms)].map(([, diagram]) =>
      [...(diagram ?? '').matchAll(/^\s*(\S+) --> (\S+)$/gm)].map(([, from, to]) => `${from} --> ${to}`),
    );
    expect(drawn.map((diagram) => diagram.sort())).toEqual([
      arrows(ORDER_TRANSITIONS, 'accepted'),
      arrows(PURCHASE_TRANSITIONS, 'intended'),
    ]);
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

/** Repeatable chance: mulberry32, a 32-bit generator of four lines. The same seed gives the same draws on every machine. */
export class Random {
  #state;

  /** @param seed whole number; its lower 32 bits count. */
  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number in [from, to]. */
  between(from, to) {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(probability) {
    return this.next() < probability;
  }

  pick(list) {
    return list[this.between(0, list.length - 1)];
  }

  /** Draws without repeats until all were drawn, then anew: what is on the list does happen. */
  deck(list) {
    let left = [];
    return () => {
      if (left.length === 0) left = [...list];
      return left.splice(this.between(0, left.length - 1), 1)[0];
    };
  }

  /** A generator of its own, so that more draws here change nothing there. */
  fork() {
    return new Random(this.between(0, 2 ** 32 - 1));
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { readJson } from '../support/http.mjs';

const LOOK_MS = 500;

/** The PATCHes that G2A took, in the order they came. */
export class Arrivals {
  #url;
  #patches = [];

  constructor(g2aUrl) {
    this.#url = g2aUrl;
  }

  get count() {
    return this.#patches.length;
  }

  async read() {
    for (const patch of await readJson(this.#url, `/_sandbox/patches?from=${this.#patches.length}`)) {
      this.#patches.push(patch);
    }
  }

  /**
   * Waits for the first PATCH of each of these offers that is what is waited for, among those from the `from`th on.
   * @param wanted by offer, whether a variant is it.
   * @param onLook told how many have come.
   * @returns when each came, in that order; those that did not come by `deadlineMs` are missing.
   */
  async firstOfEach(wanted, { from, deadlineMs, onLook = () => undefined }) {
    const arrivedAtMs = new Map();
    let next = from;
    for (;;) {
      await this.read();
      for (; next < this.#patches.length; next += 1) {
        const { offerId, body, receivedAtMs } = this.#patches[next];
        if (!arrivedAtMs.has(offerId) && wanted.get(offerId)?.(body.variant) === true) {
          arrivedAtMs.set(offerId, receivedAtMs);
        }
      }
      onLook(arrivedAtMs.size);
      if (arrivedAtMs.size === wanted.size || Date.now() >= deadlineMs) return arrivedAtMs;
      await sleep(LOOK_MS);
    }
  }

  /** Waits until none has come for `quietMs`. @throws Error when that is not so by `deadlineMs`. */
  async quiet(quietMs, deadlineMs) {
    let quietSinceMs = Date.now();
    for (;;) {
      const before = this.count;
      await sleep(LOOK_MS);
      await this.read();
      if (this.count > before) quietSinceMs = Date.now();
      if (Date.now() - quietSinceMs >= quietMs) return;
      if (Date.now() >= deadlineMs) throw new Error('PATCHes do not come to an end although nothing changes');
    }
  }
}

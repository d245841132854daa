import { setTimeout as sleep } from 'node:timers/promises';
import { g2aProductId } from '../../dist/sandbox/catalog.js';

/** For how long an unanswered or refused call is repeated once nothing breaks any more. */
const PATIENCE_MS = 90_000;
const REPEAT_GAP_MS = 250;
const FIRST_LOOK_MS = 300;
const LONGEST_LOOK_GAP_MS = 5_000;
const FIRST_G2A_ORDER_ID = 7_000_000_000_000_000;

/**
 * The customers' side, which knows nothing of how the program works: plays each customer of the plan and writes down what it was
 * promised and given.
 */
export class Shoppers {
  /** One note per customer whose order was told to the program; see check.d.mts. */
  notes = [];
  /** Customers that never got a reservation: they have not paid. */
  unserved = [];
  #replicas;
  #isClosing = false;
  /** Before, the processes may be down for as long as a slow machine takes to start them again and again. */
  #quietAtMs = Infinity;

  constructor(replicas) {
    this.#replicas = replicas;
  }

  /** Has a customer reserve and pay. @returns the note on it; undefined when it got no reservation. */
  async order(customer) {
    const wanted = customer.lines.map(({ game, quantity }) => ({ productId: g2aProductId(game), quantity }));
    const reservation = await this.#insist(customer.reservesAt, (merchant) => merchant.reserve(wanted), isServed);
    if (!reservation.ok) {
      this.unserved.push({ customer: customer.index, reason: reservation.error });
      return undefined;
    }
    await sleep(customer.hesitatesMs);
    const note = {
      customer: customer.index,
      g2aOrderId: FIRST_G2A_ORDER_ID + customer.index,
      lines: wanted.map(({ productId, quantity }) => ({ g2aProductId: productId, quantity })),
      orderIds: [],
      refusals: [],
      seen: [],
    };
    this.notes.push(note);
    await this.#pay(customer, note, reservation.body.reservation_id);
    return note;
  }

  /** Looks for the keys of a customer who has paid until all were shown, or until endLooks. */
  async fetchKeys({ ordersAt }, note) {
    const [orderId] = note.orderIds;
    const wanted = note.lines.reduce((sum, { quantity }) => sum + quantity, 0);
    let at = ordersAt;
    for (let gapMs = FIRST_LOOK_MS; orderId !== undefined && !this.#isClosing; gapMs *= 1.5) {
      await sleep(Math.min(gapMs, LONGEST_LOOK_GAP_MS));
      at = 1 - at;
      const answer = await this.#ask(at, (merchant) => merchant.inventory(orderId));
      if (!answer.ok) continue;
      const items = itemsOf(answer.body);
      for (const item of items) {
        if (!note.seen.some(({ id, value }) => id === item.id && value === item.value)) note.seen.push(item);
      }
      if (items.length >= wanted) return;
    }
  }

  /** From now on nothing breaks any more, and whoever gets no answer gives up in time. */
  noteQuiet() {
    this.#quietAtMs = Date.now();
  }

  /** From now on nobody looks for keys any more. */
  endLooks() {
    this.#isClosing = true;
  }

  async #pay({ ordersAt, calls }, note, reservationId) {
    const tell = async (at) => {
      const answer = await this.#insist(at, (merchant) => merchant.order(reservationId, note.g2aOrderId), isSettled);
      const orderId = answer.ok ? answer.body.order_id : answer.error.order_id;
      if (orderId === undefined) note.refusals.push({ status: answer.status, ...answer.error });
      else note.orderIds.push(orderId);
    };
    if (calls === 'both') {
      await Promise.all([tell(ordersAt), tell(1 - ordersAt)]);
      return;
    }
    await tell(ordersAt);
    if (calls === 'again') await tell(1 - ordersAt);
  }

  /** Repeats a call, at the other replica in turn, as long as its answer leaves open what became of it. */
  async #insist(firstAt, call, isFinal) {
    const beganAtMs = Date.now();
    for (let at = firstAt; ; at = 1 - at) {
      const answer = await this.#ask(at, call);
      if (isFinal(answer)) return answer;
      if (Date.now() > Math.max(beganAtMs, this.#quietAtMs) + PATIENCE_MS) return answer;
      await sleep(REPEAT_GAP_MS);
    }
  }

  /** An answer, or status 0 when none came. */
  async #ask(at, call) {
    const merchant = this.#replicas[at].customer;
    try {
      if (merchant !== undefined) return await call(merchant);
    } catch {
      // Killed, frozen or starting: G2A sees a lost connection or none.
    }
    return { ok: false, status: 0, error: { code: 'no_answer', message: 'no answer' } };
  }
}

/** The keys in an answer, product by product. */
export function itemsOf(inventory) {
  return inventory.flatMap(({ product_id, inventory: items }) =>
    items.map(({ id, value }) => ({ g2aProductId: product_id, id, value })),
  );
}

function isServed(answer) {
  return answer.ok;
}

/** No answer, 5xx, 429: whether the order exists is open. */
function isSettled({ ok, status }) {
  return ok || (status >= 400 && status < 500 && status !== 429);
}

import { setTimeout as sleep } from 'node:timers/promises';
import { control } from './control.mjs';

/** When nothing was bought for so long, the faults that had no turn yet will have none. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 250;

/** Does to the program, its database and CodesWholesale what the plan says. */
export class Disturber {
  restarts = 0;
  freezes = 0;
  /** Of the plan. */
  faults = 0;
  /** Of those the ones that had no effect: nothing came that they could have met. */
  unmetFaults = 0;
  #stage;

  constructor(stage) {
    this.#stage = stage;
  }

  /** Has CodesWholesale misbehave when it is the faults' turn. */
  async prepare({ faults }) {
    this.faults = faults.length;
    for (const behavior of faults.flat()) await control(this.#stage.cwsUrl, 'POST', 'behaviors', behavior);
  }

  /** Resolves when all was done, and every fault has had its turn. */
  async run({ disturbances, faults }, startedAtMs) {
    const running = [];
    for (const disturbance of disturbances) {
      await sleep(Math.max(0, startedAtMs + disturbance.atMs - Date.now()));
      // Else a machine that starts processes slowly has none of them up for the whole run.
      await Promise.race(this.#stage.replicas.map((replica) => replica.untilUp()));
      // Not waited for: a frozen process may be killed, or its database restarted.
      running.push(this.#disturb(disturbance));
    }
    await Promise.all(running);
    await this.#untilAllHadTheirTurn(faults);
  }

  /** CodesWholesale behaves again. */
  async calm() {
    this.unmetFaults = (await control(this.#stage.cwsUrl, 'GET', 'behaviors')).length;
    await control(this.#stage.cwsUrl, 'DELETE', 'behaviors');
    await Promise.all(this.#stage.replicas.map((replica) => replica.untilUp()));
  }

  async #untilAllHadTheirTurn(faults) {
    const last = faults.flat().at(-1)?.after;
    let bought = -1;
    for (let sinceMs = Date.now(); last !== undefined && Date.now() < sinceMs + PATIENCE_MS; await sleep(LOOK_MS)) {
      const counters = await control(this.#stage.cwsUrl, 'GET', 'counters');
      const { requests } = counters[last.route] ?? { requests: 0 };
      if (requests > last.requests) return;
      if (requests > bought) sinceMs = Date.now();
      bought = requests;
    }
  }

  async #disturb({ kind, replica, gapMs, forMs, how, downMs }) {
    const { replicas, database } = this.#stage;
    if (kind === 'kill') {
      replicas[replica].kill();
    } else if (kind === 'killBoth') {
      replicas[0].kill();
      await sleep(gapMs);
      replicas[1].kill();
    } else if (kind === 'freeze') {
      this.freezes += 1;
      await replicas[replica].freeze(forMs);
    } else {
      this.restarts += 1;
      await database.restart(how, downMs);
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { control } from './control.mjs';

/** For so long after the last customer came the faults' turns are waited for: slow machines buy later. */
const PATIENCE_MS = 60_000;

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
  async run({ disturbances, faults, customers }, startedAtMs) {
    const untilDue = (atMs) => sleep(Math.max(0, startedAtMs + atMs - Date.now()));
    const disturb = async (disturbance) => {
      await untilDue(disturbance.atMs);
      await this.#disturb(disturbance);
    };
    await Promise.all(disturbances.map(disturb));
    const endMs = startedAtMs + customers.at(-1).atMs + PATIENCE_MS;
    while (Date.now() < endMs && !(await this.#haveHadTheirTurn(faults))) await sleep(250);
  }

  /** CodesWholesale behaves again. */
  async calm() {
    this.unmetFaults = (await control(this.#stage.cwsUrl, 'GET', 'behaviors')).length;
    await control(this.#stage.cwsUrl, 'DELETE', 'behaviors');
    await Promise.all(this.#stage.replicas.map((replica) => replica.untilUp()));
  }

  async #haveHadTheirTurn(faults) {
    const counters = await control(this.#stage.cwsUrl, 'GET', 'counters');
    return faults.flat().every(({ after }) => (counters[after.route]?.requests ?? 0) > after.requests);
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

import { setTimeout as sleep } from 'node:timers/promises';
import { control } from './control.mjs';

/** Does to the program, its database and CodesWholesale what the plan says, when it says so. */
export class Disturber {
  restarts = 0;
  freezes = 0;
  faults = 0;
  #stage;

  constructor(stage) {
    this.#stage = stage;
  }

  /** Resolves when all was done. */
  async run({ disturbances, faults }, startedAtMs) {
    const untilDue = (atMs) => sleep(Math.max(0, startedAtMs + atMs - Date.now()));
    const disturb = async (disturbance) => {
      await untilDue(disturbance.atMs);
      await this.#disturb(disturbance);
    };
    const misbehave = async () => {
      for (const { atMs, behaviors } of faults) {
        await untilDue(atMs);
        for (const behavior of behaviors) await control(this.#stage.cwsUrl, 'POST', 'behaviors', behavior);
        this.faults += 1;
      }
    };
    await Promise.all([...disturbances.map(disturb), misbehave()]);
  }

  /** CodesWholesale behaves again. */
  async calm() {
    await control(this.#stage.cwsUrl, 'DELETE', 'behaviors');
    await Promise.all(this.#stage.replicas.map((replica) => replica.untilUp()));
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

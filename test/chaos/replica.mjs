import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Customer } from '../../dist/sandbox/customer.js';

/** Between two starts of a program that cannot start, because its database is down. */
const RESTART_GAP_MS = 250;

/** One of the program's processes and its supervisor: whenever it ends, whoever ended it, it is started again. */
export class Replica {
  kills = 0;
  /** Exit codes of the times when it ended unasked, as it may when it cannot go on. */
  ownExitCodes = [];
  #process;
  #customer;
  #wasKilled = false;
  #isClosing = false;
  #supervision;

  /**
   * @param options.start starts the process, as startProcess does.
   * @param options.credentials of the marketplace.
   */
  constructor({ name, start, logFile, credentials }) {
    this.name = name;
    this.logFile = logFile;
    this.#supervision = this.#supervise(start, credentials);
  }

  /** G2A talking to this replica; undefined while it does not listen. */
  get customer() {
    return this.#customer;
  }

  async untilUp() {
    while (this.#customer === undefined) await sleep(50);
  }

  kill() {
    this.kills += 1;
    this.#wasKilled = true;
    this.#note('kill -9');
    this.#process.kill('SIGKILL');
  }

  /** Stops the process for a while; it may be killed meanwhile. */
  async freeze(forMs) {
    const frozen = this.#process;
    this.#note('frozen');
    frozen.kill('SIGSTOP');
    await sleep(forMs);
    this.#note('thawed');
    frozen.kill('SIGCONT');
  }

  /** Ends it for good. */
  async close() {
    this.#isClosing = true;
    this.#process.kill('SIGKILL');
    await this.#supervision;
  }

  async #supervise(start, credentials) {
    while (!this.#isClosing) {
      this.#note('starting');
      this.#wasKilled = false;
      this.#process = start();
      const baseUrl = await this.#process.listening;
      if (baseUrl !== null) this.#customer = new Customer({ baseUrl, ...credentials });
      const { code, signal } = await this.#process.ended;
      this.#customer = undefined;
      this.#note(`ended: ${signal ?? `exit code ${code}`}`);
      if (this.#wasKilled || this.#isClosing) continue;
      this.ownExitCodes.push(code);
      await sleep(RESTART_GAP_MS);
    }
  }

  #note(line) {
    appendFileSync(this.logFile, `--- ${new Date().toISOString()} chaos: ${line}\n`);
  }
}

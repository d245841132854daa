/** Thrown by a job handler: this job never runs again, without being a failure. */
export class CancelJob extends Error {
  /** @param reason kept with the job and logged; no secrets. */
  constructor(reason: string) {
    super(reason);
    this.name = 'CancelJob';
  }
}

/** Thrown by a job handler: run again later with the same payload. Not a failure, and not counted as an attempt. */
export class SnoozeJob extends Error {
  /** @param seconds the wait before the next run, above 0; shorter if the same job is sent meanwhile. */
  constructor(readonly seconds: number) {
    super(`snoozed for ${seconds} s`);
    this.name = 'SnoozeJob';
  }
}

/** Thrown when the demo cannot show what it should; the message is for the person who watches. */
export class DemoError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DemoError';
  }
}

/** The person (or a supervisor) ended the demo. */
export class Interruption extends Error {
  constructor(signal: string) {
    super(signal);
    this.name = 'Interruption';
  }
}

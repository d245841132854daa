import { setTimeout as sleep } from 'node:timers/promises';
import type { Keyferry } from './keyferry.js';

/** Where a postback goes, and what proves that it is CWS's. */
export interface PostbackOptions {
  /** The right one unless given. */
  readonly authHash?: string;
  /** Base URL; of the application in this process unless given. */
  readonly to?: string;
}

/** Has the sandbox send a postback, through its control route. @returns the status that Keyferry answered. */
export async function sendPostback(
  keyferry: Pick<Keyferry, 'cws' | 'url'>,
  body: object,
  { to = keyferry.url, ...rest }: PostbackOptions = {},
): Promise<number> {
  const answer = await fetch(`${keyferry.cws.url}/_sandbox/postbacks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url: `${to}/cws/postback`, body, ...rest }),
  });
  const { status } = (await answer.json()) as { status: number };
  return status;
}

/** @throws after 30 s. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await condition());) {
    if (Date.now() > deadline) throw new Error(`it did not happen within 30 s: ${what}`);
    await sleep(25);
  }
}

import { createHash } from 'node:crypto';
import { type FastifyInstance } from 'fastify';
import { fields } from './sandbox-server.js';

/** What proves that a postback comes from CWS. */
export interface PostbackSecrets {
  clientId: string;
  signature: string;
}

/** A postback to send: `body` as the contract has it, without `authHash`. */
export interface Postback {
  /** The seller's address, as set up in CWS's panel. */
  url: string;
  body: Record<string, unknown>;
  /** In place of the right one. */
  authHash?: string;
}

/** Sends a postback. Returns the status that the seller answered. */
export async function sendPostback({ clientId, signature }: PostbackSecrets, postback: Postback): Promise<number> {
  const right = createHash('sha256').update(`${clientId}${signature}`).digest('hex');
  const answer = await fetch(postback.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...postback.body, authHash: postback.authHash ?? right }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** The control route that has a postback sent: nothing sends them by itself, for nobody may rely on them. */
export function registerCwsPostbacks(app: FastifyInstance, secrets: PostbackSecrets): void {
  app.post<{ Body: Postback }>('/_sandbox/postbacks', { schema: postbackSchema }, async (request) => ({
    status: await sendPostback(secrets, request.body),
  }));
}

const postbackSchema = fields({ url: { type: 'string' }, body: { type: 'object' }, authHash: { type: 'string' } }, [
  'url',
  'body',
]);

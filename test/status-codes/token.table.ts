import { OUR_CLIENT } from '../support/keyferry.js';
import { refusal, type StatusRow, type StatusTable, success, unreadableBodyRows } from './status-table.js';

const PATH = '/oauth/token';
const FORM = 'application/x-www-form-urlencoded';
const right = {
  grant_type: 'client_credentials',
  client_id: OUR_CLIENT.clientId,
  client_secret: OUR_CLIENT.clientSecret,
};

/** RFC 6749's words beside ours. */
const oauth = (error: string) => ({ extra: () => ({ error, error_description: expect.any(String) }) });

/** The rows of both methods. @param ask sends these fields as the method does. */
function rows(method: 'GET' | 'POST'): StatusRow[] {
  const ask = (fields: Record<string, string>) => {
    const text = new URLSearchParams(fields).toString();
    return method === 'GET'
      ? { method, path: `${PATH}?${text}`, authorization: null }
      : { method, path: PATH, body: text, contentType: FORM, authorization: null };
  };
  const wrong = ask({ ...right, client_secret: 'wrong' });
  return [
    success(200, 'the right pair', [], () => ask(right)),
    refusal([400, 'unsupported_grant_type'], 'another grant', () => ask({ ...right, grant_type: 'password' }), {
      ...oauth('unsupported_grant_type'),
    }),
    refusal([401, 'unauthorized'], 'a wrong secret', () => wrong, oauth('invalid_client')),
    refusal([401, 'unauthorized'], 'an unknown id', () => ask({ ...right, client_id: 'x' }), oauth('invalid_client')),
    refusal([401, 'unauthorized'], 'nobody', () => ask({ grant_type: 'client_credentials' }), oauth('invalid_client')),
    refusal(
      [429, 'too_many_failed_attempts'],
      'the eleventh wrong secret of an address',
      async (world) => {
        for (let attempt = 1; attempt <= 10; attempt += 1) await world.send(wrong);
        return wrong;
      },
      { ...oauth('invalid_client'), retryAfterSeconds: 'some' },
    ),
  ];
}

export const getToken: StatusTable = { route: `GET ${PATH}`, rows: rows('GET') };

export const postToken: StatusTable = {
  route: `POST ${PATH}`,
  rows: [
    ...rows('POST'),
    success(200, 'the right pair as JSON', [], () => ({
      method: 'POST',
      path: PATH,
      body: right,
      authorization: null,
    })),
    success(200, 'the right pair in a Basic header', [], ({ basic }) => ({
      method: 'POST',
      path: PATH,
      body: 'grant_type=client_credentials',
      contentType: FORM,
      authorization: basic(),
    })),
    ...unreadableBodyRows({ method: 'POST', path: PATH, authorization: null }).map((row) => ({
      ...row,
      ...oauth('invalid_request'),
    })),
  ],
};

import { environment, OUR_CLIENT } from '../support/keyferry.js';
import { type Program, startProgram } from '../support/program.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const NOWHERE = 'http://127.0.0.1:9';
const NEW_CLIENT = { clientId: 'g2a-since-today', clientSecret: ':the:next:secret' };

let database: TestDatabase;
let running: Program[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await Promise.all(running.map((program) => program.end('SIGKILL')));
  await database.drop();
});

async function start(variables: Record<string, string> = {}): Promise<Program> {
  const program = await startProgram({ ...environment(NOWHERE, NOWHERE), DATABASE_URL: database.url, ...variables });
  running.push(program);
  return program;
}

async function end(...programs: Program[]): Promise<void> {
  await Promise.all(programs.map((program) => program.end('SIGTERM')));
  running = running.filter((program) => !programs.includes(program));
}

async function login(
  { url }: Program,
  { clientId, clientSecret } = OUR_CLIENT,
): Promise<{ status: number; token: string }> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
  });
  const answer = await fetch(`${url}/oauth/token`, { method: 'POST', body });
  const { access_token: token = '' } = (await answer.json()) as { access_token?: string };
  return { status: answer.status, token };
}

async function check({ url }: Program, token: string): Promise<number> {
  return (await fetch(`${url}/healthcheck`, { headers: { authorization: `Bearer ${token}` } })).status;
}

describe('an access token', () => {
  it('works after a restart and on every replica, through a rotation of the credentials, and ends with its secret', async () => {
    const first = await start();
    const { token } = await login(first);
    expect(await check(first, token)).toBe(204);
    await end(first);

    const [restarted, replica] = await Promise.all([start(), start()]);
    expect([await check(restarted, token), await check(replica, token)]).toEqual([204, 204]);
    await end(restarted);

    const [rotating, rotated] = await Promise.all([
      start({
        OUR_API_CLIENT_ID: NEW_CLIENT.clientId,
        OUR_API_CLIENT_SECRET: NEW_CLIENT.clientSecret,
        OUR_API_CLIENT_ID_PREVIOUS: OUR_CLIENT.clientId,
        OUR_API_CLIENT_SECRET_PREVIOUS: OUR_CLIENT.clientSecret,
      }),
      // The former id, as when the secret alone is changed.
      start({ OUR_API_CLIENT_SECRET: NEW_CLIENT.clientSecret }),
    ]);
    // Both pairs are right during the rotation, and so is what was sold for either.
    expect(await check(rotating, token)).toBe(204);
    const [former, next] = [await login(rotating), await login(rotating, NEW_CLIENT)];
    expect([former.status, next.status]).toEqual([200, 200]);
    expect([await check(rotating, former.token), await check(rotating, next.token)]).toEqual([204, 204]);
    // A replica that was not rotated yet knows the former pair alone.
    expect([await check(replica, former.token), await check(replica, next.token)]).toEqual([204, 401]);

    expect([await check(rotated, token), await check(rotated, former.token)]).toEqual([401, 401]);
    expect((await login(rotated)).status).toBe(401);
    await end(replica, rotating, rotated);
  }, 180_000);
});

import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { parseEnvironment } from '../src/config/environment.js';
import { dataSourceOptions } from '../src/database/data-source-options.js';
import { inTransaction } from '../src/database/one-connection.js';
import { KeyCipher } from '../src/orders/key-cipher.js';
import { insertKeys, type NewKey } from '../src/orders/keys.queries.js';
import { type CommandAnswer, runCommand, startCommand } from './support/command.js';
import { environment } from './support/keyferry.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

const NOWHERE = 'http://127.0.0.1:9';
const KEYS = 1200;
const OWNER = { purchaseId: randomUUID(), orderItemId: randomUUID() };

const former = randomBytes(32);
const current = randomBytes(32);
const formerCipher = cipherWith(former);
const cipher = cipherWith(current, former);

function cipherWith(key: Buffer, old?: Buffer): KeyCipher {
  const variables = { ...environment(NOWHERE, NOWHERE), KEY_ENCRYPTION_KEY: key.toString('base64') };
  const oldVariables = old === undefined ? {} : { KEY_ENCRYPTION_KEYS_OLD: old.toString('base64') };
  return new KeyCipher(parseEnvironment({ ...variables, ...oldVariables }));
}

const valueOf = (number: number): string => `VALUE-${number}`;

describe('keys rotate', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeEach(async () => {
    database = await createTestDatabase();
    dataSource = new DataSource(dataSourceOptions(database.url, 'rotate-test'));
    await dataSource.initialize();
    const [reservationId, orderId] = [randomUUID(), randomUUID()];
    await dataSource.query(
      `WITH reservation AS (INSERT INTO reservations (id, state, expires_at) VALUES ('${reservationId}', 'ordered', now())),
         reserved AS (INSERT INTO reservation_items (id, reservation_id, g2a_product_id, quantity, sale_price_cents,
             sale_income_cents)
           VALUES ('${OWNER.orderItemId}', '${reservationId}', 1, ${KEYS}, 800, 680)),
         sale AS (INSERT INTO orders (id, reservation_id, g2a_order_id, state, deadline_at)
           VALUES ('${orderId}', '${reservationId}', 1, 'completed', now())),
         item AS (INSERT INTO order_items VALUES ('${OWNER.orderItemId}', '${orderId}', 1, ${KEYS}, 800, 680))
       INSERT INTO purchases (id, order_item_id, cws_product_id, quantity, price_cap_cents, client_order_id, state)
       VALUES ('${OWNER.purchaseId}', '${OWNER.orderItemId}', gen_random_uuid(), ${KEYS}, 600, 'KF-1', 'completed')`,
    );
  });
  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  function newKey(by: KeyCipher, value: string, cwsCodeId = randomUUID()): NewKey {
    const id = randomUUID();
    return {
      id,
      cwsCodeId,
      kind: 'text',
      fileName: null,
      undeliverableReason: null,
      fingerprint: by.fingerprint(value),
      formerFingerprints: by.formerFingerprints(value),
      ...by.encrypt(value, id),
    };
  }

  const store = async (keys: readonly NewKey[]) =>
    inTransaction(dataSource, (manager) => insertKeys(manager, OWNER, keys));

  const storeMany = async (by: KeyCipher) =>
    store(Array.from({ length: KEYS }, (_, number) => newKey(by, valueOf(number))));

  const variables = (): Record<string, string> => ({
    ...environment(NOWHERE, NOWHERE),
    DATABASE_URL: database.url,
    KEY_ENCRYPTION_KEY: current.toString('base64'),
    KEY_ENCRYPTION_KEYS_OLD: former.toString('base64'),
  });
  const rotate = async (...args: string[]): Promise<CommandAnswer> =>
    runCommand(variables(), ['keys', 'rotate', ...args]);

  const rows = async (): Promise<{ id: string; ciphertext: Buffer; encryptionKeyId: string; fingerprint: Buffer }[]> =>
    dataSource.query('SELECT id, ciphertext, encryption_key_id AS "encryptionKeyId", fingerprint FROM keys');

  const countByKey = async (): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (const { encryptionKeyId } of await rows()) counts[encryptionKeyId] = (counts[encryptionKeyId] ?? 0) + 1;
    return counts;
  };

  async function expectAllReadable(by: KeyCipher): Promise<void> {
    const values = (await rows()).map((row) => by.decrypt(row, row.id));
    expect(new Set(values)).toEqual(new Set(Array.from({ length: KEYS }, (_, number) => valueOf(number))));
  }

  it('encrypts every key anew, so that the former encryption key can be removed', async () => {
    await storeMany(formerCipher);
    const dry = await rotate('--dry-run', '--json');
    expect(JSON.parse(dry.stdout)).toMatchObject({ isDryRun: true, toRotate: KEYS, done: 0, missingKeyIds: [] });
    expect(await countByKey()).toEqual({ [formerCipher.currentKeyId]: KEYS });

    expect(await rotate()).toMatchObject({ code: 0, stdout: expect.stringContaining(`${KEYS} keys encrypted anew`) });
    const alone = cipherWith(current);
    await expectAllReadable(alone);
    for (const row of await rows()) expect(row.fingerprint).toEqual(alone.fingerprint(alone.decrypt(row, row.id)));
    const audit = await dataSource.query(
      `SELECT sum((details->>'count')::integer)::integer AS count FROM audit_log WHERE action = 'keys.rotated'`,
    );
    expect(audit).toEqual([{ count: KEYS }]);
  });

  it('may be killed in the middle and started again', async () => {
    await storeMany(formerCipher);
    // The last keys are in use, so that the command waits for them when all others are done.
    const busy = dataSource.createQueryRunner();
    await busy.startTransaction();
    // However long the command takes to start.
    await busy.query('SET LOCAL idle_in_transaction_session_timeout = 0');
    await busy.query('SELECT id FROM keys WHERE id IN (SELECT id FROM keys ORDER BY id DESC LIMIT 100) FOR UPDATE');
    try {
      const { child, answer } = startCommand(variables(), ['keys', 'rotate']);
      while ((await countByKey())[formerCipher.currentKeyId] !== 100) {
        expect(child.exitCode).toBeNull();
        await sleep(50);
      }
      child.kill('SIGKILL');
      expect(await answer).toMatchObject({ code: null });
    } finally {
      await busy.rollbackTransaction();
      await busy.release();
    }
    expect(await countByKey()).toEqual({ [formerCipher.currentKeyId]: 100, [cipher.currentKeyId]: KEYS - 100 });
    await expectAllReadable(cipher);
    expect(await rotate('--json')).toMatchObject({ code: 0, stdout: expect.stringContaining('"rotated": 100') });
    expect(await countByKey()).toEqual({ [cipher.currentKeyId]: KEYS });
    await expectAllReadable(cipher);
  });

  it('leaves a value that is sold again refused: before, in the middle and afterwards', async () => {
    await store([newKey(formerCipher, 'BEFORE'), newKey(formerCipher, 'AFTER')]);
    const again = newKey(cipher, 'BEFORE');
    expect(await store([again, newKey(cipher, 'FRESH')])).toMatchObject({
      stored: { size: 1 },
      soldTwice: [again.cwsCodeId],
    });
    expect(await rotate()).toMatchObject({ code: 0 });
    const afterwards = newKey(cipher, 'AFTER');
    expect(await store([afterwards])).toMatchObject({ stored: { size: 0 }, soldTwice: [afterwards.cwsCodeId] });
    expect(await rows()).toHaveLength(3);
  });

  it('says which encryption key is missing, and changes nothing', async () => {
    await store([newKey(formerCipher, 'LOST')]);
    const answer = await runCommand({ ...variables(), KEY_ENCRYPTION_KEYS_OLD: '' }, ['keys', 'rotate']);
    expect(answer).toMatchObject({ code: 1, stderr: expect.stringContaining(formerCipher.currentKeyId) });
    expect(answer.stderr).toContain('KEY_ENCRYPTION_KEYS_OLD');
    expect(await countByKey()).toEqual({ [formerCipher.currentKeyId]: 1 });
  });

  it('names a key that was tampered with, and rotates the others', async () => {
    const [bad, good] = [newKey(formerCipher, 'BAD'), newKey(formerCipher, 'GOOD')];
    await store([bad, good]);
    await dataSource.query('UPDATE keys SET ciphertext = ciphertext || $$x$$ WHERE id = $1', [bad.id]);
    const answer = await rotate();
    expect(answer).toMatchObject({ code: 1, stderr: expect.stringContaining(bad.id) });
    expect(await countByKey()).toEqual({ [formerCipher.currentKeyId]: 1, [cipher.currentKeyId]: 1 });
  });
});

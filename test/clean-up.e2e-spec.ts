import { ReservationCleanUpService } from '../src/orders/reservation-clean-up.service.js';
import { CleanUpService } from '../src/sync/clean-up.service.js';
import { type Keyferry, startKeyferry } from './support/keyferry.js';
import { reservationSteps } from './support/reservation-steps.js';

let keyferry: Keyferry;
const { reserve, restock } = reservationSteps(() => keyferry);

beforeAll(async () => {
  keyferry = await startKeyferry();
});
afterAll(() => keyferry.stop());

describe('the nightly clean-up', () => {
  it('deletes notifications and cleared alerts of more than 90 days ago, also more than a batch of them, and nothing else', async () => {
    await keyferry.sql(
      `INSERT INTO notifications (content_hash, type, received_at)
       SELECT sha256(n::text::bytea), 'auction_deactivated', now() - make_interval(days => CASE WHEN n <= 2001 THEN 91 ELSE 89 END)
       FROM generate_series(1, 2003) n`,
    );
    await keyferry.sql(
      `INSERT INTO alerts (kind, subject, message, first_raised_at, cleared_at)
       SELECT 'offer_failing', n::text, 'a message', now() - interval '1 year', CASE
         WHEN n <= 1000 THEN now() - interval '91 days'
         WHEN n <= 1002 THEN now() - interval '89 days' END
       FROM generate_series(1, 1003) n`,
    );
    await keyferry.app.get(CleanUpService).run();
    expect(
      await keyferry.sql(
        `SELECT count(*) AS kept, min(received_at) > now() - interval '90 days' AS all FROM notifications`,
      ),
    ).toEqual([{ kept: 2, all: true }]);
    expect(await keyferry.sql(`SELECT subject, cleared_at IS NULL AS "isOpen" FROM alerts ORDER BY subject`)).toEqual([
      { subject: '1001', isOpen: false },
      { subject: '1002', isOpen: false },
      { subject: '1003', isOpen: true },
    ]);
  });

  it('is waited for by nobody: what fails is tried again the next night', async () => {
    await keyferry.sql('ALTER TABLE notifications RENAME TO hidden');
    await expect(keyferry.app.get(CleanUpService).run()).resolves.toBeUndefined();
    await keyferry.sql('ALTER TABLE hidden RENAME TO notifications');
  });
});

describe('reservations', () => {
  it('are forgotten in batches, a week after they expired, unless they became orders', async () => {
    await restock(17, 3);
    await keyferry.sync();
    const [ordered, young] = [await reserve(17), await reserve(17)];
    await keyferry.customer.order(ordered);
    await keyferry.sql(`UPDATE reservations SET expires_at = now() - interval '8 days' WHERE id = $1`, [ordered]);
    await keyferry.sql(`UPDATE reservations SET expires_at = now() - interval '6 days' WHERE id = $1`, [young]);
    await keyferry.sql(
      `INSERT INTO reservations (id, state, expires_at)
       SELECT gen_random_uuid(), CASE i % 2 WHEN 0 THEN 'active' ELSE 'released' END, now() - interval '8 days'
       FROM generate_series(1, 1201) i`,
    );
    const [{ kept }] = await keyferry.sql(
      `SELECT count(*) AS kept FROM reservations WHERE state = 'ordered' OR expires_at > now() - interval '7 days'`,
    );
    await keyferry.app.get(ReservationCleanUpService).run();
    expect(await keyferry.sql('SELECT count(*) AS kept FROM reservations')).toEqual([{ kept }]);
    expect(await keyferry.sql(`SELECT count(*) FROM audit_log WHERE action = 'reservation.forgotten'`)).toEqual([
      { count: 1201 },
    ]);
  });

  it('leave no spent hold behind after a round of synchronization', async () => {
    await keyferry.sql(`UPDATE stock_holds SET expires_at = now() - interval '6 minutes' WHERE state = 'reserved'`);
    await keyferry.sync();
    expect(await keyferry.sql(`SELECT count(*) FROM stock_holds WHERE state = 'reserved'`)).toEqual([{ count: 0 }]);
  });
});

import { describe, expect, it } from '@jest/globals';
import type { Status } from '../status/status.js';
import { statusLines } from './status-texts.js';

const SINCE = new Date('2026-01-02T03:04:05Z');
const SELLING: Status = {
  isSelling: true,
  isSellingAllowed: true,
  isPaused: false,
  reason: null,
  changedBy: null,
  changedAt: SINCE,
  isServiceEnabled: true,
  leader: { id: 'replica-1', since: SINCE },
  feedAgeSeconds: 4,
  feedUnreliableSince: null,
  sweepCycleSeconds: 11.2,
  mappings: { total: 12, enabled: 12 },
  offers: { total: 12, forSale: 9, off: { disabled: 1, stale: 2 }, quarantined: 0 },
  orders: { accepted: 0, purchasing: 0, fulfilling: 1, completed: 7, needs_attention: 0, failed: 0, resolved: 0 },
  openAlerts: 0,
  balance: { totalToUse: '500.00', committed: '12.30', currency: 'EUR', askedAt: SINCE },
};

describe('the status in words', () => {
  it('tells what is sold, who synchronizes and how old the news are', () => {
    expect(statusLines(SELLING)).toEqual([
      'selling   yes, 9 of 12 offers',
      'sync      replica replica-1 since 2026-01-02T03:04:05.000Z',
      'feed      read 4 s ago, believed; the sweep asks for all products in 12 s',
      'mappings  12 (12 enabled)',
      'offers    12 (9 for sale, 2 stale, 1 disabled)',
      'balance   500.00 EUR, 12.30 of it spoken for',
      'alerts    0 open',
      'orders    1 fulfilling, 7 completed',
    ]);
  });

  const first = (changes: Partial<Status>): string | undefined => statusLines({ ...SELLING, ...changes })[0];

  it('does not say yes when nothing is for sale', () => {
    const offers = { total: 12, forSale: 0, off: { stale: 12 }, quarantined: 0 };
    expect(first({ offers })).toBe('selling   allowed, but 0 of 12 offers are for sale (12 stale)');
    expect(first({ offers: { ...offers, total: 0, off: {} } })).toBe('selling   allowed, but no offer is known');
  });

  it('does not say yes when nobody synchronizes', () => {
    const lines = statusLines({ ...SELLING, leader: null });
    expect(lines.slice(0, 2)).toEqual([
      'selling   allowed, but no replica synchronizes: 9 of 12 offers were for sale when one last did',
      'sync      no replica holds the lease: offers on G2A stay as they are',
    ]);
  });

  it('names who paused, or the setting that outranks the switch', () => {
    const paused = { isPaused: true, changedBy: 'cli:me', reason: 'holiday' };
    expect(first(paused)).toBe('selling   no, paused by cli:me since 2026-01-02T03:04:05.000Z: holiday');
    expect(first({ ...paused, isServiceEnabled: false })).toBe('selling   no: SERVICE_ENABLED=false');
  });

  it('tells what is not known', () => {
    const lines = statusLines({ ...SELLING, feedAgeSeconds: null, balance: null });
    expect(lines).toContain('feed      never read');
    expect(lines).toContain('balance   not known');
    expect(statusLines({ ...SELLING, feedUnreliableSince: SINCE, sweepCycleSeconds: null })).toContain(
      'feed      read 4 s ago, not believed since 2026-01-02T03:04:05.000Z',
    );
  });
});

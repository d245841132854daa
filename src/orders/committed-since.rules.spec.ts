import { cents } from '../money/cents.js';
import { CommittedSince } from './committed-since.rules.js';

describe('what was promised since the last count', () => {
  const NOW = 1_800_000_000_000;
  /** 50,000.00, of which 5,000.00 must be left. */
  const counted = (countedAt: number | null, payable = 5_000_000) => ({
    totalToUseCents: cents(5_000_000),
    payableCents: cents(payable),
    countedAt,
  });

  it('needs no count while plenty is left', () => {
    const committed = new CommittedSince();
    expect(committed.isCountDue(counted(NOW), cents(4_500_000), NOW)).toBe(false);
    expect(committed.isCountDue(counted(NOW), cents(4_500_001), NOW)).toBe(true);
  });

  it('adds up, over the count before this one as well', () => {
    const committed = new CommittedSince();
    committed.add(counted(NOW), cents(2_000_000));
    expect(committed.isCountDue(counted(NOW), cents(2_500_000), NOW)).toBe(false);
    expect(committed.isCountDue(counted(NOW), cents(2_500_001), NOW)).toBe(true);
    committed.add(counted(NOW + 5000), cents(1_000_000));
    expect(committed.isCountDue(counted(NOW + 5000), cents(1_500_001), NOW + 5000)).toBe(true);
    committed.add(counted(NOW + 10_000), cents(0));
    expect(committed.isCountDue(counted(NOW + 10_000), cents(3_500_000), NOW + 10_000)).toBe(false);
  });

  it('counts what was promised by the count before also when nothing was promised since', () => {
    const committed = new CommittedSince();
    committed.add(counted(NOW), cents(4_000_000));
    expect(committed.isCountDue(counted(NOW + 5000), cents(1_000_000), NOW + 5000)).toBe(true);
  });

  it('needs a count when there is none, or an old one, or little is left of a small balance', () => {
    const committed = new CommittedSince();
    expect(committed.isCountDue(counted(null), cents(1), NOW)).toBe(true);
    expect(committed.isCountDue(counted(NOW - 30_001), cents(1), NOW)).toBe(true);
    const small = { totalToUseCents: cents(150_000), payableCents: cents(100_000), countedAt: NOW };
    expect(committed.isCountDue(small, cents(1), NOW)).toBe(true);
  });
});

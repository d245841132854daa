import type { Status } from '../status/status.js';

/** The status as lines for a person: whether we sell or why not, then what that rests on. */
export function statusLines(status: Status): string[] {
  const { mappings, offers, openAlerts, orders, balance } = status;
  const ordersByState = Object.entries(orders).filter(([, number]) => number > 0);
  return [
    `selling   ${describeSelling(status)}`,
    `sync      ${describeLeader(status)}`,
    `feed      ${describeFeed(status)}`,
    `mappings  ${mappings.total} (${mappings.enabled} enabled)`,
    `offers    ${offers.total} (${[`${offers.forSale} for sale`, ...reasons(status), ...quarantined(status)].join(', ')})`,
    `balance   ${balance === null ? 'not known' : `${balance.totalToUse} ${balance.currency ?? ''}, ${balance.committed} of it spoken for`}`,
    `alerts    ${openAlerts} open`,
    `orders    ${ordersByState.map(([state, number]) => `${number} ${state}`).join(', ') || 'none'}`,
  ];
}

function describeSelling(status: Status): string {
  const { offers } = status;
  if (!status.isServiceEnabled) return 'no: SERVICE_ENABLED=false';
  if (status.isPaused) {
    const reason = status.reason === null ? '' : `: ${status.reason}`;
    return `no, paused by ${status.changedBy ?? 'SQL'} since ${status.changedAt.toISOString()}${reason}`;
  }
  if (offers.total === 0) return 'allowed, but no offer is known';
  const share = `${offers.forSale} of ${offers.total} offers`;
  if (offers.forSale === 0) return `allowed, but ${share} are for sale (${reasons(status).join(', ')})`;
  if (status.leader === null) return `allowed, but no replica synchronizes: ${share} were for sale when one last did`;
  return `yes, ${share}`;
}

function describeLeader({ leader }: Status): string {
  if (leader === null) return 'no replica holds the lease: offers on G2A stay as they are';
  return `replica ${leader.id} since ${leader.since.toISOString()}`;
}

function describeFeed({ feedAgeSeconds, feedUnreliableSince, sweepCycleSeconds }: Status): string {
  if (feedAgeSeconds === null) return 'never read';
  const trust = feedUnreliableSince === null ? 'believed' : `not believed since ${feedUnreliableSince.toISOString()}`;
  const sweep =
    sweepCycleSeconds === null ? '' : `; the sweep asks for all products in ${Math.ceil(sweepCycleSeconds)} s`;
  return `read ${feedAgeSeconds} s ago, ${trust}${sweep}`;
}

/** The most frequent first. */
function reasons({ offers }: Status): string[] {
  return Object.entries(offers.off)
    .sort(([, one], [, other]) => other - one)
    .map(([reason, number]) => `${number} ${reason}`);
}

function quarantined({ offers }: Status): string[] {
  return offers.quarantined === 0 ? [] : [`${offers.quarantined} quarantined`];
}

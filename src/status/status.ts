import type { EntityManager } from 'typeorm';
import { type KnownBalance, readBalance } from '../catalog/account-balance.queries.js';
import { ControlState } from '../control/control-state.entity.js';
import { formatCents } from '../money/cents.js';
import { type StatusNumbers, statusNumbers } from './status.queries.js';

/** What a person is told about the switch that pauses. */
export interface ControlView extends Pick<ControlState, 'isPaused' | 'reason' | 'changedBy' | 'changedAt'> {
  /** `SERVICE_ENABLED` of the process that answers. */
  readonly isServiceEnabled: boolean;
}

/** The CWS account, as decimals in its currency. */
export interface BalanceView {
  /** Balance and credit, as CWS said last. */
  readonly totalToUse: string;
  /** What of it is spoken for. */
  readonly committed: string;
  readonly currency: string | null;
  readonly askedAt: Date | null;
}

/** Whether we sell, and why not: what `/admin/status` and `status --json` answer. */
export interface Status extends ControlView, StatusNumbers {
  /** Neither paused nor disabled. */
  readonly isSellingAllowed: boolean;
  /** Selling is allowed, a replica synchronizes, and at least one offer should be for sale. */
  readonly isSelling: boolean;
  /** Null: CWS has not said it within 10 minutes. */
  readonly balance: BalanceView | null;
}

export async function readStatus(manager: EntityManager, config: { isServiceEnabled: boolean }): Promise<Status> {
  const control = controlView(await manager.findOneByOrFail(ControlState, { id: 1 }), config);
  const numbers = await statusNumbers(manager);
  const isSellingAllowed = control.isServiceEnabled && !control.isPaused;
  return {
    isSelling: isSellingAllowed && numbers.leader !== null && numbers.offers.forSale > 0,
    isSellingAllowed,
    ...control,
    ...numbers,
    balance: balanceView(await readBalance(manager)),
  };
}

export function controlView(
  { isPaused, reason, changedBy, changedAt }: ControlState,
  { isServiceEnabled }: { isServiceEnabled: boolean },
): ControlView {
  return { isPaused, reason, changedBy, changedAt, isServiceEnabled };
}

function balanceView({ totalToUseCents, committedCents, currency, askedAt }: KnownBalance): BalanceView | null {
  if (totalToUseCents === null) return null;
  return { totalToUse: formatCents(totalToUseCents), committed: formatCents(committedCents), currency, askedAt };
}

import type { Cents } from '../money/cents.js';
import { DemoError } from './demo-error.js';
import type { Game } from './demo-games.js';
import type { Programs } from './programs.js';

/** What a customer got. Times are milliseconds. */
export interface Sale {
  readonly game: Game;
  /** What G2A showed when the customer bought. */
  readonly paid: Cents;
  readonly key: string;
  /** Epoch time just before the order was sent. */
  readonly orderedAtMs: number;
  /** From then until the key was there. */
  readonly waitedMs: number;
}

interface BuyOutput {
  ordered?: string;
  sentAtMs?: number;
  keys?: { value: string }[];
  ms?: number;
}

/** Long enough for an app that was killed and started again. */
const CUSTOMER_SECONDS = 60;
const SECRET_VARIABLE = 'CUSTOMER_CLIENT_SECRET';

/** The shell line with which a person buys in the same way. */
export function buyLine(appUrl: string, client: { id: string; secret: string }, g2aProductId: number): string {
  return `${SECRET_VARIABLE}=${client.secret} node ${BUY_PROGRAM.join('/')} ${buyArguments(appUrl, client.id, g2aProductId).join(' ')}`;
}

/** A customer of G2A reserves, pays and waits for one key (sandbox/buy.ts). */
export async function buyOne(
  programs: Programs,
  options: { appUrl: string; client: { id: string; secret: string }; game: Game; paid: Cents },
): Promise<Sale> {
  const { appUrl, client, game, paid } = options;
  const lines = await programs.run(
    {
      name: 'the customer',
      file: BUY_PROGRAM.slice(1).join('/'),
      args: [...buyArguments(appUrl, client.id, game.g2aProductId), '--timeout-seconds', String(CUSTOMER_SECONDS)],
      env: { [SECRET_VARIABLE]: client.secret },
    },
    // Reserving and ordering take their time too.
    CUSTOMER_SECONDS + 10,
  );
  const said = lines.map((line) => JSON.parse(line) as BuyOutput);
  const orderedAtMs = said.find(({ ordered }) => ordered !== undefined)?.sentAtMs;
  const last = said.at(-1);
  const [key, ...others] = last?.keys ?? [];
  if (orderedAtMs === undefined || last?.ms === undefined || key === undefined || others.length > 0) {
    throw new DemoError(`expected one key for ${game.name}; seen: ${lines.join(' ')}`);
  }
  return { game, paid, key: key.value, orderedAtMs, waitedMs: last.ms };
}

const BUY_PROGRAM = ['dist', 'sandbox', 'buy.js'];

function buyArguments(appUrl: string, clientId: string, g2aProductId: number): string[] {
  const client = ['--client-id', clientId, '--client-secret-env', SECRET_VARIABLE];
  return ['--url', appUrl, ...client, '--product', String(g2aProductId)];
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { type Answer, Customer, type InventoryItem } from './customer.js';
import { readNumber } from './flags.js';
import { isProgram } from './sandbox-server.js';

interface BuyOptions {
  /** Where the merchant contract is served. */
  url: string;
  clientId: string;
  clientSecret: string;
  /** G2A product id. */
  product: number;
  quantity: number;
  /** From the order to the keys. */
  timeoutSeconds: number;
}

const RETRY_MS = 250;

/** Buys as a customer of G2A does and tells every step. Rejects with the reason when it gets no keys. */
export async function buy(options: BuyOptions, tell: (step: Record<string, unknown>) => void): Promise<void> {
  const { url, clientId, clientSecret, product, quantity, timeoutSeconds } = options;
  const customer = new Customer({ baseUrl: url, clientId, clientSecret });

  const { reservation_id: reservationId } = granted(
    'reservation',
    await customer.reserve([{ productId: product, quantity }]),
  );
  tell({ reserved: reservationId });

  const sentAtMs = Date.now();
  const { order_id: orderId } = granted('order', await customer.order(reservationId));
  tell({ ordered: orderId, sentAtMs, ms: Date.now() - sentAtMs });

  const keys = await waitForKeys(customer, orderId, quantity, sentAtMs + timeoutSeconds * 1000);
  tell({ keys, ms: Date.now() - sentAtMs });
}

/** The order is paid: a merchant that is down for a moment is asked again. */
async function waitForKeys(
  customer: Customer,
  orderId: string,
  count: number,
  giveUpAtMs: number,
): Promise<InventoryItem[]> {
  for (;;) {
    try {
      return await customer.waitForKeys(orderId, count, giveUpAtMs - Date.now());
    } catch (error) {
      if (Date.now() + RETRY_MS >= giveUpAtMs) throw error;
      await sleep(RETRY_MS);
    }
  }
}

function granted<T>(what: string, answer: Answer<T>): T {
  if (answer.ok) return answer.body;
  throw new Error(`The merchant refused the ${what}: ${answer.status} ${answer.error.code} ${answer.error.message}`);
}

async function main(): Promise<void> {
  const command = new Command('buy')
    .description(
      'Reserves, orders and waits for keys as a customer of G2A does. Prints {"reserved": id}, {"ordered": id, "sentAtMs": epoch ms, ' +
        '"ms"} and {"keys": […], "ms"}; ms counts from sending the order. Ends with 1 and the reason on stderr when there are no keys.',
    )
    .requiredOption('--url <url>', 'where the merchant contract is served')
    .requiredOption('--client-id <id>', "the merchant's OUR_API_CLIENT_ID")
    .requiredOption('--client-secret-env <name>', 'variable of the environment that holds OUR_API_CLIENT_SECRET')
    .requiredOption('--product <id>', 'G2A product id, such as 10000000000001', readNumber)
    .option('--quantity <count>', 'pieces', readNumber, 1)
    .option('--timeout-seconds <seconds>', 'how long the keys are waited for after the order', readNumber, 30)
    .parse();
  try {
    const { clientSecretEnv, ...options } = command.opts<
      Omit<BuyOptions, 'clientSecret'> & { clientSecretEnv: string }
    >();
    const clientSecret = process.env[clientSecretEnv];
    if (clientSecret === undefined) throw new Error(`The environment has no ${clientSecretEnv}.`);
    await buy({ ...options, clientSecret }, (step) => {
      process.stdout.write(`${JSON.stringify(step)}\n`);
    });
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    process.exitCode = 1;
  }
}

/** fetch itself only says "fetch failed". */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

if (isProgram(import.meta.url)) await main();

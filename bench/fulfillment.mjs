// From the paid order to the key in the customer's hands, with a supplier that answers at once; and what waiting for many costs. See README.md.
import { performance } from 'node:perf_hooks';
import { Customers } from './contract/customers.mjs';
import { openStage } from './contract/stage.mjs';
import { inventoryDelays } from './fulfillment/inventory-delays.mjs';
import { readOptions } from './fulfillment/options.mjs';
import { purchaseDelays } from './fulfillment/purchase-delays.mjs';
import { report } from './fulfillment/report.mjs';
import { waitForMany } from './fulfillment/waiting-purchases.mjs';

/** On which many orders are reserved and told at once; the other measurements take one after the other. */
const CONNECTIONS = 8;

const options = readOptions(process.argv.slice(2));
if (options !== null) await main(options);

async function main({ orders, pending, waiting, seconds, isJson }) {
  const startedAt = performance.now();
  const log = (line) => {
    process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${line}\n`);
  };
  const stage = await openStage({ log });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      await stage.close();
      process.exit(130);
    });
  }
  try {
    await stage.cws.setLatency(0);
    const customers = new Customers(stage, CONNECTIONS);
    await customers.open();
    log(`${orders} orders, one after the other`);
    const toPurchase = await purchaseDelays(stage, customers, orders);
    log(`${pending} orders that CodesWholesale takes a while for`);
    const toInventory = await inventoryDelays(stage, customers, pending);
    log(`${waiting} orders that CodesWholesale does not fulfill, watched for ${seconds} s`);
    const whileWaiting = await waitForMany(stage, customers, { count: waiting, seconds, log });
    process.exitCode = report({ toPurchase, toInventory, whileWaiting }, isJson) ? 0 : 1;
  } finally {
    await stage.close();
  }
}

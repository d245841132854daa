import { parseArgs } from 'node:util';

const HELP = `Usage: npm run test:chaos -- [options]

Two replicas of the built program sell against simulated APIs while they, PostgreSQL and CodesWholesale break. Afterwards the
ledger of CodesWholesale, the customers' notes and the deliveries are compared. Exit code 0 when every promise was kept, 1 when
one was broken, 2 for wrong options.

  --orders N    customers, 1 or more (default: 300)
  --seed N      of the schedule, 0 to 4294967295 (default: random, printed)
  --each-step   not at random: the program dies once at each step of the purchase protocol, and a table shows the end
  --json        the summary as JSON on standard output; progress goes to standard error
  --help`;

/** @returns the options, or null when help was asked for (and printed). Wrong ones end the process with code 2. */
export function readOptions(args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        orders: { type: 'string', default: '300' },
        seed: { type: 'string' },
        'each-step': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      return null;
    }
    return {
      orders: wholeNumber('--orders', values.orders, 1),
      seed: values.seed === undefined ? undefined : wholeNumber('--seed', values.seed, 0),
      isEachStep: values['each-step'],
      isJson: values.json,
    };
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`);
    process.exit(2);
  }
}

function wholeNumber(name, text, least) {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > 2 ** 32 - 1) {
    throw new Error(`${name}: '${text}' is not a whole number from ${least} on`);
  }
  return value;
}

import { parseArgs } from 'node:util';
import { CHANGED } from './waiting-purchases.mjs';

const HELP = `Usage: npm run bench -- fulfillment [options]

Measures, with a CodesWholesale that answers at once:
  - from the 202 of POST /order to the purchase arriving at CodesWholesale, one order after the other (median below 25 ms wanted);
  - from a code being there to GET inventory showing it, when it comes 0.2 to 20 s after the purchase (at most the gap between two
    questions that was in force then wanted: 2 s growing to 15 s);
  - while many purchases wait for their codes: requests to CodesWholesale per minute, processor time of the program, and whose details
    are read when ${CHANGED} of them change (at most 70 questions for the history per minute wanted, and nearly none for an order that has not changed).
Exit code 0 when all are met, 1 when one is missed, 2 for wrong options.

  --orders N    orders of the first measurement (default: 200)
  --pending N   orders of the second one (default: 20)
  --waiting N   purchases of the third one, ${CHANGED} or more (default: 1000)
  --seconds N   for which they are watched (default: 60)
  --json        the result as JSON on standard output; progress goes to standard error
  --help`;

/** @returns the options, or null when help was asked for (and printed). Wrong ones end the process with code 2. */
export function readOptions(args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        orders: { type: 'string', default: '200' },
        pending: { type: 'string', default: '20' },
        waiting: { type: 'string', default: '1000' },
        seconds: { type: 'string', default: '60' },
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
      pending: wholeNumber('--pending', values.pending, 1),
      waiting: wholeNumber('--waiting', values.waiting, CHANGED),
      seconds: wholeNumber('--seconds', values.seconds, 1),
      isJson: values.json,
    };
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`);
    process.exit(2);
  }
}

function wholeNumber(name, text, least) {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new Error(`${name}: '${text}' is not a whole number from ${least} on`);
  }
  return value;
}

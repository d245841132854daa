import { parseArgs } from 'node:util';

/** The routes that are measured, in this order. */
export const ROUTE_NAMES = ['healthcheck', 'token', 'reservation', 'order', 'inventory'];

const HELP = `Usage: npm run bench -- contract [options]

Measures the merchant contract of the built program beside a bare Fastify route that sends the same number of SQL
statements, both on an embedded PostgreSQL with its durable default settings and a simulated CodesWholesale.
Exit code 0 when every target is met, 1 when one is missed, 2 for wrong options.

  --only NAMES         comma list of ${ROUTE_NAMES.join(', ')} (default: all)
  --seconds N          length of one measurement, 1 or more (default: 2)
  --rounds N           measurements of each side, alternating; the median counts (default: 3)
  --connections N      (default: 32)
  --soak-minutes N     instead: a mixed load for N minutes (after one of warm-up), with memory, connections and handles
  --profile FOLDER     writes a CPU profile of the program there
  --json               the result as JSON on standard output; progress goes to standard error
  --help`;

/** @returns the options, or null when help was asked for (and printed). Wrong ones end the process with code 2. */
export function readOptions(args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        only: { type: 'string', default: ROUTE_NAMES.join(',') },
        seconds: { type: 'string', default: '2' },
        rounds: { type: 'string', default: '3' },
        connections: { type: 'string', default: '32' },
        'soak-minutes': { type: 'string' },
        profile: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      return null;
    }
    const only = values.only.split(',');
    const unknown = only.find((name) => !ROUTE_NAMES.includes(name));
    if (unknown !== undefined) throw new Error(`--only: '${unknown}' is none of ${ROUTE_NAMES.join(', ')}`);
    const soakMinutes = values['soak-minutes'];
    return {
      only: ROUTE_NAMES.filter((name) => only.includes(name)),
      seconds: wholeNumber('--seconds', values.seconds),
      rounds: wholeNumber('--rounds', values.rounds),
      connections: wholeNumber('--connections', values.connections),
      soakMinutes: soakMinutes === undefined ? null : wholeNumber('--soak-minutes', soakMinutes),
      profile: values.profile,
      isJson: values.json,
    };
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`);
    process.exit(2);
  }
}

function wholeNumber(name, text) {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name}: '${text}' is not a whole number above 0`);
  return value;
}

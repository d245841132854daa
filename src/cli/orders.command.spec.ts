import type { Command } from 'commander';
import { CommandError } from './failure.js';
import { ordersCommand } from './orders.command.js';

/** What goes wrong with these arguments before anything is asked of a database. */
async function failure(args: readonly string[]): Promise<string> {
  const command = ordersCommand();
  for (const each of [command, ...command.commands]) silence(each);
  try {
    await command.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error('nothing went wrong');
}

function silence(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
}

describe('the orders commands', () => {
  it.each([
    [['list', '--state', 'lost'], 'Allowed choices are'],
    [['list', '--limit', '0'], 'whole number from 1'],
    [['list', '--limit', '10001'], 'whole number from 1'],
    [['show'], "missing required argument 'order'"],
    [['resolve', '4242', '--note', 'x'], '--delivered-by-hand or --refunded'],
    [['resolve', '4242', '--refunded'], '--note'],
    [['resolve', '4242', '--refunded', '--note', ' '], '1 to 500 characters'],
    [['resolve', '4242', '--refunded', '--note', 'x'.repeat(501)], '1 to 500 characters'],
    [['resolve', '4242', '--refunded', '--delivered-by-hand', '--note', 'x'], 'cannot be used with'],
    [['export', '--from', '2026-11-01'], '--to'],
    [['export', '--from', '2026-02-30', '--to', '2026-03-01'], 'expected a day'],
    [['export', '--from', 'yesterday', '--to', '2026-03-01'], 'expected a day'],
    [['export', '--from', '2026-03-02', '--to', '2026-03-01'], '--to is before --from'],
    [['export', '--from', '2026-03-02', '--to', '2026-03-03', '--csv', '--json'], 'cannot be used with'],
  ])('refuse %j', async (args, message) => {
    expect(await failure(args)).toContain(message);
  });

  it('say that a missing decision is the caller’s to make, not a fault of the program', async () => {
    const command = ordersCommand();
    await expect(command.parseAsync(['resolve', '1', '--note', 'x'], { from: 'user' })).rejects.toBeInstanceOf(
      CommandError,
    );
  });
});

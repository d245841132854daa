import { Command } from 'commander';
import { loadConfig } from '../config/config.module.js';
import { KeyCipher } from '../orders/key-cipher.js';
import { RotateKeysService } from '../orders/rotate-keys.service.js';
import { withDatabase } from './command-database.js';
import { CommandProgress } from './command-progress.js';
import { CommandError } from './failure.js';
import { operator } from './operator.js';
import { printJson, printLine } from './output.js';
import { silenceServices } from './silence-services.js';

interface RotateOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `keys`: looks after the encryption of the stored keys. */
export function keysCommand(): Command {
  return new Command('keys').description('look after the encryption of the stored keys').addCommand(
    new Command('rotate')
      .description(
        'encrypt the stored keys anew under KEY_ENCRYPTION_KEY, after its former value moved to KEY_ENCRYPTION_KEYS_OLD; ' +
          'may be interrupted and repeated, and run while the service works',
      )
      .option('--dry-run', 'show what is to be done, and change nothing')
      .option('--json', 'print the result as JSON')
      .action(rotate),
  );
}

async function rotate({ dryRun: isDryRun = false, json: isJson = false }: RotateOptions): Promise<void> {
  const config = await loadConfig();
  silenceServices();
  await withDatabase(config, async ({ dataSource }) => {
    const rotation = new RotateKeysService(dataSource, new KeyCipher(config));
    const plan = await rotation.plan();
    const { currentKeyId, done, toRotate, missingKeyIds } = plan;
    if (missingKeyIds.length > 0) {
      throw new CommandError(
        `Keys are encrypted under ${missingKeyIds.join(', ')}, which is not configured: add it to KEY_ENCRYPTION_KEYS_OLD. ` +
          'Nothing was changed.',
      );
    }
    if (isDryRun) {
      if (isJson) printJson({ isDryRun, ...plan });
      else printLine(`${toRotate} keys to encrypt anew under ${currentKeyId}, ${done} are already (dry run)`);
      return;
    }
    const progress = new CommandProgress(toRotate, { verb: 'encrypting', noun: 'keys' });
    const result = await rotation
      .rotate(operator(), (rotated) => {
        progress.update(rotated);
      })
      .finally(() => {
        progress.stop();
      });
    if (isJson) printJson({ isDryRun, currentKeyId, ...result });
    else printLine(`${result.rotated} keys encrypted anew under ${currentKeyId}, ${done} were already`);
    if (!isJson && result.doubles.length > 0) {
      printLine(`bought twice, look at their orders: ${result.doubles.join(', ')}`);
    }
    const { unreadable, locked } = result;
    if (unreadable.length > 0) {
      throw new CommandError(`Not readable, and left as they were: ${unreadable.join(', ')}. Keep the former key.`);
    }
    if (locked > 0) throw new CommandError(`${locked} keys were in use all the time: run it again.`);
  });
}

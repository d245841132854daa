import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ServiceLogger } from './service-logger.js';

const ESCAPE = '\u001b';

describe('the log of the service', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** What is written while `say` runs. */
  function written(say: () => void): string {
    let output = '';
    for (const stream of [process.stdout, process.stderr]) {
      jest.spyOn(stream, 'write').mockImplementation((chunk) => {
        output += String(chunk);
        return true;
      });
    }
    say();
    jest.restoreAllMocks();
    return output;
  }

  it.each([true, false])(
    'drops what the framework says at each start, and keeps what it warns of (JSON: %s)',
    (isJson) => {
      const logger = new ServiceLogger({ isJson, isTerminal: false });
      const output = written(() => {
        logger.log('SyncModule dependencies initialized', 'InstanceLoader');
        logger.log('Mapped {/livez, GET} route', 'RouterExplorer');
        logger.log('listening on http://127.0.0.1', 'Keyferry');
        logger.warn('a warning', 'InstanceLoader');
        logger.error('a failure', 'stack', 'RouterExplorer');
      });
      expect(output).not.toContain('initialized');
      expect(output).not.toContain('Mapped');
      for (const kept of ['listening on', 'a warning', 'a failure']) expect(output).toContain(kept);
      expect(output).not.toContain(ESCAPE);
    },
  );
});

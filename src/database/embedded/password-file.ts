import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { hasCode } from './embedded-postgres-error.js';

/**
 * The password of the embedded server, made at the first call and kept in the file (mode 0600). Processes that start at the same
 * moment agree on one: each writes a draft, and `link` lets exactly one of them appear under the final name, complete at once.
 */
export async function readOrCreatePassword(file: string): Promise<string> {
  try {
    return await readPassword(file);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(draft, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
    await link(draft, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return readPassword(file);
}

async function readPassword(file: string): Promise<string> {
  const password = (await readFile(file, 'utf8')).trim();
  if (!/^[0-9a-f]{48}$/.test(password)) throw new Error(`${file} does not hold a password that Keyferry wrote.`);
  return password;
}

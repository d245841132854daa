import { readFile } from 'node:fs/promises';
import type { FileMapping } from '../catalog/mapping-fields.js';
import { parseMappingFile } from '../catalog/mapping-file.js';
import { CommandError } from './failure.js';

/**
 * The mappings of a JSON or CSV file.
 * @throws CommandError when there is no such file or it is not text, MappingFileError that lists what is wrong in it.
 */
export async function readMappingFile(file: string): Promise<FileMapping[]> {
  return parseMappingFile(await readText(file), file);
}

async function readText(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CommandError(`${file} is not UTF-8 text: save it as JSON, or as "CSV UTF-8"`);
  }
}

import { type FileMapping, parseFileMapping } from './mapping-fields.js';
import { MappingFileError, type MappingFileProblem } from './mapping-file-error.js';
import { readCsvRows, readJsonRows } from './mapping-file-rows.js';

/**
 * Reads a mapping file: a JSON array, or CSV with the same column names (seeds/README.md explains the columns).
 * @param content the file's text; a byte order mark is ignored.
 * @param fileName decides the format where the content leaves it open, and names the file in the error.
 * @returns the mappings in the order of the file; at least one.
 * @throws MappingFileError that lists every problem of the file with its line.
 */
export function parseMappingFile(content: string, fileName: string): FileMapping[] {
  const text = content.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  if (text.trim() === '') throw new MappingFileError(fileName, [{ line: 1, reason: 'the file is empty' }]);
  const { rows, problems: problemsOfFile } = isJson(text, fileName) ? readJsonRows(text) : readCsvRows(text);

  const problems: MappingFileProblem[] = [...problemsOfFile];
  const mappings: FileMapping[] = [];
  const lineOfProduct = new Map<number, number>();
  for (const { values, ...place } of rows) {
    const { g2aProductId, mapping, problems: problemsOfRow } = parseFileMapping(values);
    problems.push(...problemsOfRow.map((problem) => ({ ...place, ...problem })));
    if (mapping !== null) mappings.push(mapping);
    if (g2aProductId === null) continue;
    const firstLine = lineOfProduct.get(g2aProductId);
    if (firstLine === undefined) lineOfProduct.set(g2aProductId, place.line);
    else problems.push({ ...place, field: 'g2aProductId', reason: `${g2aProductId} is already on line ${firstLine}` });
  }
  if (rows.length === 0 && problems.length === 0) problems.push({ line: 1, reason: 'the file holds no mappings' });
  if (problems.length > 0)
    throw new MappingFileError(
      fileName,
      problems.sort((a, b) => a.line - b.line),
    );
  return mappings;
}

function isJson(text: string, fileName: string): boolean {
  return /^\s*[[{]/.test(text) || fileName.toLowerCase().endsWith('.json');
}

import { CsvError, parse as parseCsv } from 'csv-parse/sync';
import { MAPPING_COLUMNS, type MappingColumn } from './mapping-fields.js';
import type { MappingFileProblem } from './mapping-file-error.js';

/** One row of a mapping file, not yet understood. */
export interface MappingFileRow {
  /** Counted from 1; where the row starts. */
  readonly line: number;
  /** Position in the JSON array, counted from 0; absent for CSV. */
  readonly index?: number;
  readonly values: Readonly<Partial<Record<MappingColumn, unknown>>>;
}

export interface MappingFileRows {
  readonly rows: readonly MappingFileRow[];
  /** What keeps the rest of the file from being read. */
  readonly problems: readonly MappingFileProblem[];
}

/** Columns that every CSV file must have one of. */
const ID_COLUMNS: readonly (readonly MappingColumn[])[] = [['g2aProductId'], ['cwsProductIds', 'cwsProductId']];

/**
 * Reads the elements of a JSON array one by one: JSON.parse tells neither the line of an element nor, for some mistakes,
 * the place of the mistake, and it stops at the first.
 * @param text with "\n" as line ends.
 */
export function readJsonRows(text: string): MappingFileRows {
  const rows: MappingFileRow[] = [];
  const { elements, problems } = splitJsonArray(text);
  elements.forEach(({ line, source }, index) => {
    let value: unknown;
    try {
      value = JSON.parse(source);
    } catch (error) {
      problems.push({ index, ...jsonMistake(error, source, line) });
      return;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      problems.push({ line, index, reason: 'is not an object such as {"g2aProductId": …, "cwsProductIds": ["…"]}' });
      return;
    }
    const unknown = Object.keys(value).filter((name) => !isColumn(name));
    problems.push(...unknown.map((field) => ({ line, index, field, reason: unknownColumn() })));
    rows.push({ line, index, values: value });
  });
  return { rows, problems };
}

/** Cuts an array at the commas between its elements, whether or not the elements are valid. */
function splitJsonArray(text: string): {
  elements: { line: number; source: string }[];
  problems: MappingFileProblem[];
} {
  const elements: { line: number; source: string }[] = [];
  const lineAt = lineCounter(text);
  const opening = text.search(/\S/);
  if (text[opening] !== '[') {
    return { elements, problems: [{ line: lineAt(opening), reason: 'expected a JSON array of mappings: [{…}, {…}]' }] };
  }
  const problems: MappingFileProblem[] = [];
  let start = opening + 1;
  let depth = 0;
  const endElement = (end: number, isLast: boolean) => {
    const piece = text.slice(start, end);
    const blank = piece.search(/\S/);
    if (blank !== -1) elements.push({ line: lineAt(start + blank), source: piece.trim() });
    else if (!isLast || elements.length > 0) {
      problems.push({ line: lineAt(end), reason: 'there is no mapping beside this comma' });
    }
    start = end + 1;
  };
  // A string ends at the end of its line at the latest: JSON has no line breaks in strings, and one forgotten quotation
  // mark must not swallow the rest of the file.
  for (const { 0: token, index } of text.slice(start).matchAll(/"(?:[^"\\\n]+|\\.)*"?|[[\]{},]/g)) {
    const offset = opening + 1 + index;
    if (depth === 0 && token === ',') endElement(offset, false);
    else if (depth === 0 && token === ']') {
      endElement(offset, true);
      const rest = text.slice(start).search(/\S/);
      if (rest !== -1)
        problems.push({ line: lineAt(start + rest), reason: 'there is more after the end of the array' });
      return { elements, problems };
    } else if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth = Math.max(0, depth - 1);
  }
  endElement(text.length, true);
  problems.push({ line: lineAt(text.length), reason: 'the array is not closed: "]" is missing' });
  return { elements, problems };
}

/** @returns the line (from 1) of an offset; ask with ascending offsets. */
function lineCounter(text: string): (offset: number) => number {
  let line = 1;
  let next = text.indexOf('\n');
  return (offset) => {
    while (next !== -1 && next < offset) {
      line += 1;
      next = text.indexOf('\n', next + 1);
    }
    return line;
  };
}

/** V8 names the offset within the element for most mistakes; people want the line in the file. */
function jsonMistake(error: unknown, source: string, firstLine: number): { line: number; reason: string } {
  const message = error instanceof Error ? error.message : String(error);
  const [, reason = message, position = '0'] = /^(.*?)(?: in JSON| after JSON)? at position (\d+)/s.exec(message) ?? [];
  const line = firstLine + source.slice(0, Number(position)).split('\n').length - 1;
  return { line, reason: `is not valid JSON: ${reason}` };
}

/**
 * Reads CSV with a header line. The delimiter is the first of comma, semicolon and tab that the header contains: spreadsheet
 * programs write a semicolon where the comma is the decimal point.
 * @param text with "\n" as line ends.
 */
export function readCsvRows(text: string): MappingFileRows {
  const { records, problems } = readCsvRecords(text);
  const [header, ...body] = records;
  if (header === undefined) return { rows: [], problems };
  problems.push(...problemsOfHeader(header.values).map((problem) => ({ line: header.line, ...problem })));
  const lacksIds = ID_COLUMNS.some((names) => !names.some((name) => header.values.includes(name)));
  if (lacksIds) return { rows: [], problems };

  const rows: MappingFileRow[] = [];
  for (const { line, values } of body) {
    if (values.length === header.values.length) {
      rows.push({ line, values: Object.fromEntries(header.values.map((name, column) => [name, values[column]])) });
    } else {
      problems.push({
        line,
        reason: `has ${values.length} values, but the header has ${header.values.length} columns`,
      });
    }
  }
  return { rows, problems };
}

interface CsvRecord {
  readonly line: number;
  readonly values: readonly string[];
}

function readCsvRecords(text: string): { records: CsvRecord[]; problems: MappingFileProblem[] } {
  const headerLine = text.trimStart().split('\n', 1)[0] ?? '';
  const records: CsvRecord[] = [];
  const problems: MappingFileProblem[] = [];
  try {
    parseCsv(text, {
      delimiter: [',', ';', '\t'].find((delimiter) => headerLine.includes(delimiter)) ?? ',',
      record_delimiter: '\n',
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      on_record: (values: string[], { lines }) => {
        // `lines` is where the record ends; quoted values may span several.
        records.push({ line: lines - (values.join('').split('\n').length - 1), values });
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line: unknown = error.lines;
    problems.push({ line: typeof line === 'number' ? line : 1, reason: `is not valid CSV: ${error.message}` });
  }
  return { records, problems };
}

function problemsOfHeader(names: readonly string[]): { field?: string; reason: string }[] {
  return [
    ...names.filter((name) => !isColumn(name)).map((field) => ({ field, reason: unknownColumn() })),
    ...names
      .filter((name, column) => names.indexOf(name) !== column)
      .map((field) => ({ field, reason: 'is a column twice' })),
    ...ID_COLUMNS.filter((options) => !options.some((name) => names.includes(name))).map((options) => ({
      reason: `the column ${options.join(' or ')} is missing`,
    })),
  ];
}

function isColumn(name: string): name is MappingColumn {
  return MAPPING_COLUMNS.some((column) => column === name);
}

function unknownColumn(): string {
  return `is not a column of a mapping file; these are: ${MAPPING_COLUMNS.join(', ')}`;
}

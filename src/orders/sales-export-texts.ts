import { csvLine, EXPORT_COLUMNS, type ExportRow } from './sales-export.rules.js';

/** The export as CSV with a header, piece by piece. */
export async function* csvText(rows: AsyncIterable<ExportRow>): AsyncIterable<string> {
  yield `${csvLine(EXPORT_COLUMNS)}\n`;
  for await (const row of rows) yield `${csvLine(EXPORT_COLUMNS.map((column) => row[column]))}\n`;
}

/** The export as a JSON array, piece by piece. */
export async function* jsonText(rows: AsyncIterable<ExportRow>): AsyncIterable<string> {
  let before = '[';
  for await (const row of rows) {
    yield `${before}\n  ${JSON.stringify(row)}`;
    before = ',';
  }
  yield before === '[' ? '[]\n' : '\n]\n';
}

const DAY_MS = 86_400_000;

/** Midnight of a day such as 2026-11-01, UTC; null when the text is no day. */
export function parseDay(text: string): Date | null {
  const day = new Date(`${text}T00:00:00Z`);
  // JavaScript takes 2026-02-30 for a day in March.
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
  return isDay ? day : null;
}

/** From the first day's midnight to the end of the last day. */
export function windowOfDays(first: Date, last: Date): { from: Date; to: Date } {
  return { from: first, to: new Date(last.getTime() + DAY_MS) };
}

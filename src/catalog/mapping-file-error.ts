/** One thing that is wrong with a mapping file, and where. */
export interface MappingFileProblem {
  /** Counted from 1; where the row starts. */
  readonly line: number;
  /** Position in the JSON array, counted from 0; absent for CSV. */
  readonly index?: number;
  /** The column, when it is about one. */
  readonly field?: string;
  readonly reason: string;
}

/** Problems that the message spells out; the rest is counted. */
const SHOWN_PROBLEMS = 50;
/** Longer reasons are cut: they quote the file. */
const SHOWN_REASON_LENGTH = 300;

/** Thrown when a mapping file cannot be used. Its message lists the problems, one per line, and is fit to be printed. */
export class MappingFileError extends Error {
  readonly code = 'MAPPING_FILE_REFUSED';

  constructor(
    fileName: string,
    readonly problems: readonly MappingFileProblem[],
  ) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    const hidden = problems.length - SHOWN_PROBLEMS;
    super(
      [
        `${fileName} has ${count}; nothing of it was applied:`,
        ...problems.slice(0, SHOWN_PROBLEMS).map((problem) => `  ${describe(problem)}`),
        ...(hidden > 0 ? [`  and ${hidden} more`] : []),
      ].join('\n'),
    );
    this.name = 'MappingFileError';
  }
}

/** "line 12, [2].feePercentage: …" in JSON, "line 12, feePercentage: …" in CSV. */
function describe({ line, index, field, reason }: MappingFileProblem): string {
  const element = index === undefined ? '' : `[${index}]`;
  const place = [element, field].filter((part) => part !== undefined && part !== '').join('.');
  const shown = reason.length > SHOWN_REASON_LENGTH ? `${reason.slice(0, SHOWN_REASON_LENGTH)}…` : reason;
  return `line ${line}${place === '' ? '' : `, ${place}`}: ${shown}`;
}

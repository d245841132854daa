/** What a command was asked for. */
export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The same for programs: one JSON document. */
export function printJson(value: unknown): void {
  printLine(JSON.stringify(value, null, 2));
}

/** What happens meanwhile, and what went wrong; never mixed with the answer. */
export function printNotice(line: string): void {
  process.stderr.write(`${line}\n`);
}

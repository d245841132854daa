import { InvalidArgumentError, Option } from 'commander';

const MAX_NOTE_LENGTH = 500;

/** The option `--note`, which must be given. @param description what is to be noted, such as "what was done". */
export function noteOption(description: string): Option {
  return new Option('--note <text>', `${description} (1 to ${MAX_NOTE_LENGTH} characters)`)
    .argParser(readNote)
    .makeOptionMandatory();
}

function readNote(value: string): string {
  const note = value.trim();
  if (note === '' || note.length > MAX_NOTE_LENGTH || note.includes('\0')) {
    throw new InvalidArgumentError(`expected a text of 1 to ${MAX_NOTE_LENGTH} characters`);
  }
  return note;
}

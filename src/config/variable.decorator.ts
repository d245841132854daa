import { applyDecorators } from '@nestjs/common';
import { Expose, Transform } from 'class-transformer';
import { ValidateBy, type ValidationArguments } from 'class-validator';

/** How the text of a variable becomes a value, and what to tell a person when it does not. */
export interface VariableKind<T> {
  /** Completes "expected …" in an error. */
  readonly expected: string;
  /** True for what may be, or may contain, a secret: a bad value is then not repeated in the error. */
  readonly isSecret: boolean;
  /** The value that a non-empty, trimmed text stands for; undefined when it stands for none. */
  readonly parse: (text: string) => T | undefined;
}

/** A text that its kind could not read; kept until validation, so that all problems are reported together. */
class Unreadable {
  constructor(readonly text: string) {}
}

/**
 * Declares a property as an environment variable of the given kind: class-transformer reads it, class-validator reports it.
 * The variable is required unless the property has an initializer (its default) or carries IsOptional.
 */
export function Variable<T>(kind: VariableKind<T>) {
  const decorate = applyDecorators(
    Expose(),
    Transform(({ value }) => (typeof value === 'string' ? (kind.parse(value) ?? new Unreadable(value)) : (value as T))),
    ValidateBy({
      name: 'variable',
      validator: {
        validate: (value: unknown) => value !== undefined && !(value instanceof Unreadable),
        defaultMessage: (failed?: ValidationArguments) =>
          `${whatIsWrong(failed?.value, kind)}; expected ${kind.expected}`,
      },
    }),
  );
  // The parameter types let the compiler compare the property's type with the kind's.
  return <Name extends string>(environment: Partial<Record<Name, T>>, name: Name): void => {
    decorate(environment, name);
  };
}

function whatIsWrong(value: unknown, kind: VariableKind<unknown>): string {
  if (!(value instanceof Unreadable)) return 'is not set';
  return kind.isSecret ? 'is not valid (its value is not shown)' : `is not valid: ${JSON.stringify(value.text)}`;
}

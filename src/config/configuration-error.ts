/** One thing that is wrong with the environment. Never holds a secret value. */
export interface ConfigurationProblem {
  /** The name of the environment variable. */
  readonly variable: string;
  /** What is wrong with it and what is expected instead. */
  readonly problem: string;
}

/** Thrown when the environment cannot be used. Its message lists every problem, one per line, and is fit to be printed. */
export class ConfigurationError extends Error {
  constructor(readonly problems: readonly ConfigurationProblem[]) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    const lines = problems.map(({ variable, problem }) => `  ${variable}: ${problem}`);
    super([`The configuration has ${count} (.env.example explains every variable):`, ...lines].join('\n'));
    this.name = 'ConfigurationError';
  }
}

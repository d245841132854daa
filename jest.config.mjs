const shared = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // Sources import './x.js' as ESM demands; Jest resolves them to the TypeScript file.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json', 'node'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.keyferry/'],
};

const wholeProgram = {
  ...shared,
  globalSetup: '<rootDir>/test/global-setup.mjs',
  globalTeardown: '<rootDir>/test/global-teardown.mjs',
};

export default {
  // One more than the cores of the smallest machine that this runs on: e2e files mostly wait for processes.
  maxWorkers: 3,
  // Only effective here, not inside a project. Deadlines for hangs, not performance limits.
  testTimeout: 60_000,
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/src/**/*.spec.ts', '<rootDir>/sandbox/**/*.spec.ts'] },
    {
      ...wholeProgram,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/*.e2e-spec.ts', '<rootDir>/test/chaos/*.e2e-spec.ts'],
    },
    // Several programs at once, processes and database servers that are killed and started again: slow, and a step of its own.
    {
      ...wholeProgram,
      displayName: 'durability',
      testMatch: ['<rootDir>/test/durability/*.e2e-spec.ts'],
    },
  ],
};

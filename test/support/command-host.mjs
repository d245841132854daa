// Runs commands of the built program one after the other in one process, for loading it takes longer than most commands. Each
// has an environment, an exit code and an output of its own. Started by command.ts, which speaks to it by messages.
import 'reflect-metadata';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const { runCommandLine } = await import(pathToFileURL(resolve(import.meta.dirname, '../../dist/cli/command-line.js')));

/** What a command has said when it asks for the end of the process, as `--help` and wrong arguments do. */
let ending;
let output;

process.exit = (code) => {
  ending ??= { code: code ?? process.exitCode, ...output };
  throw new Error('the command has ended');
};

async function run({ args, environment }) {
  output = { stdout: '', stderr: '' };
  ending = undefined;
  const original = { ...process.env };
  const writes = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const name of ['stdout', 'stderr']) {
    process[name].write = (chunk, encoding, done) => {
      output[name] += chunk.toString();
      const callback = typeof encoding === 'function' ? encoding : done;
      if (callback !== undefined) process.nextTick(callback);
      return true;
    };
  }
  replaceEnvironment(environment);
  process.exitCode = 0;
  try {
    await runCommandLine(args);
    return ending ?? { code: process.exitCode, ...output };
  } finally {
    process.stdout.write = writes.stdout;
    process.stderr.write = writes.stderr;
    process.exitCode = 0;
    replaceEnvironment(original);
  }
}

function replaceEnvironment(environment) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
}

process.on('message', async (request) => {
  process.send(await run(request));
});
process.on('disconnect', () => process.reallyExit(0));
process.send('ready');

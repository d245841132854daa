import 'reflect-metadata';
import { runCommandLine } from './cli/command-line.js';

// Whoever reads the answer may have enough of it (`| head`): the command still goes on to its end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

await runCommandLine(process.argv.slice(2));

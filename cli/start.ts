// Starts the command line in this process.
import process from 'node:process';
import { main } from './main.ts';

for (const stream of [process.stdout, process.stderr])
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    // Whoever read it has ended, as `head` does: that is no error.
    if (code === 'EPIPE') return;
    if (stream === process.stdout)
      process.stderr.write(`error FILE_UNWRITABLE  standard output cannot be written (${code})\n`);
    process.exit(1);
  });

// Ctrl-C while it ends already changes nothing.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => undefined);

const code = await main(process.argv.slice(2), process);
process.exitCode = code;
// What was interrupted may still wait for something.
if (code === 130) process.exit();

// Starts the command line in this process.
import process from 'node:process';
import { main } from './main.ts';

const code = await main(process.argv.slice(2), process);
process.exitCode = code;
// What was interrupted may still wait for something.
if (code === 130) process.exit();

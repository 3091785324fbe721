#!/usr/bin/env node
// Starts the command line `penstock`. It starts under Node 18 or later, and goes on with Node 24: this one, or the one that the package brings.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as modules from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `engines` of package.json. */
const NEEDED = 24;
const INSTALL = `Install Node ${NEEDED}: https://nodejs.org/en/download`;

// From a clone the sources; from the package what is compiled of them, since Node strips no types below node_modules.
const START = ['../cli/start.ts', '../dist/package/cli/start.js'].find((path) =>
  existsSync(new URL(path, import.meta.url)),
);

/** The node of the optional dependency; `undefined` where there is none for this machine. */
function ownNode() {
  try {
    const { resolve } = modules.createRequire(import.meta.url);
    const node = join(
      dirname(resolve(`lambda-node-${process.platform}-${process.arch}/package.json`)),
      'bin/node',
    );
    return existsSync(node) ? node : undefined;
  } catch {
    return undefined;
  }
}

/** Goes on in a process of that node, and ends as it ends. */
function goOnWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both: the child decides what becomes of it.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  // It is made for another system library, say, or may not be executed.
  child.on('error', ({ code }) =>
    refuse(`the Node ${NEEDED} that the package brings cannot be started (${code})`, INSTALL),
  );
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

function refuse(what, next) {
  process.stderr.write(`error NODE_MISSING  ${what}\nnext   ${next}\n`);
  process.exitCode = 1;
}

if (Number.parseInt(process.versions.node, 10) >= NEEDED) {
  if (START === undefined)
    refuse('the compiled command line is missing', 'Install the package again, or run: npm run build:cli');
  else {
    // Compiled code is kept: the second start need not compile it.
    modules.enableCompileCache?.();
    await import(START);
  }
} else {
  const node = ownNode();
  if (node === undefined)
    refuse(`penstock needs Node ${NEEDED}, and this is ${process.versions.node}`, INSTALL);
  else goOnWith(node);
}

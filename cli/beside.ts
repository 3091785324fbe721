// Files of this package that a process of their own runs: sources from a clone, compiled ones from the package.
import { fileURLToPath } from 'node:url';

/** @param path in the project, as a clone has it: `local/start/start.ts` */
export function scriptAt(path: string): string {
  const isCompiled = import.meta.url.endsWith('.js');
  return fileURLToPath(new URL(`../${isCompiled ? path.replace(/\.ts$/, '.js') : path}`, import.meta.url));
}

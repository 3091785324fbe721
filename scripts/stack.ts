// A stack as a deployed function logged it, in terms of the sources: `npm run stack < stack.txt`, on the commit that was deployed.
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A place in a bundle, wherever Lambda or a laptop has put it. */
const PLACE = /[^\s("']*?(dist\/functions\/[\w./-]+\.cjs):(\d+):(\d+)/g;

/** The text with each place in a bundle replaced by that in its source. What there is no map of stays as it is. */
export function resolveStack(logged: string, root = ROOT): string {
  const maps = new Map<string, SourceMap | undefined>();
  return logged.replace(PLACE, (whole, file: string, line: string, column: string) => {
    if (!maps.has(file)) maps.set(file, mapOf(join(root, `${file}.map`)));
    // Both counted from one.
    const origin = maps.get(file)?.findOrigin(Number(line), Number(column));
    if (origin === undefined || !('fileName' in origin)) return whole;
    const source = relative(root, join(root, file, '..', origin.fileName));
    return `${source}:${origin.lineNumber}:${origin.columnNumber}`;
  });
}

function mapOf(file: string): SourceMap | undefined {
  return existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
}

if (import.meta.main) process.stdout.write(resolveStack(await text(process.stdin)));

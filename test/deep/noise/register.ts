// For `node --import`: every module of the project as it stands in the file that the URL names, where it is there.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const { searchParams } = new URL(import.meta.url);
const sources = JSON.parse(readFileSync(searchParams.get('sources') ?? '', 'utf8')) as Record<string, string>;

registerHooks({
  load(url, context, next) {
    const source = sources[url];
    return source === undefined ? next(url, context) : { format: 'module', source, shortCircuit: true };
  },
});

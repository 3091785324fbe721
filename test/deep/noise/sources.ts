// Which files get noise, and what they become.
import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withNoise, withNoisyAnswers } from './texts.ts';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The product, and what the platform's validator says. */
const PRODUCT = /^(lib|functions)\/|^local\/aep\/xdm\/violations\.ts$/;
/** The ownership tag as it stands in a description in AEP: it is stored, and read again. */
const MARK = 'lib/provision/resources/ownership-tag.ts';
const PLATFORM = 'local/aep/platform.ts';
const TEXTS = join(ROOT, 'test/deep/noise/texts.ts');

/** A file of the project as JavaScript, with noise where it is the product's. */
export function noisySource(path: string): string {
  const file = relative(ROOT, path).split(sep).join('/');
  const source = readFileSync(path, 'utf8');
  if (file === PLATFORM) return withNoisyAnswers(stripTypeScriptTypes(source), TEXTS);
  if (file === CHILD) return withHooks(stripTypeScriptTypes(source));
  if (!PRODUCT.test(file) || file === MARK) return stripTypeScriptTypes(source);
  return withNoise(source, file).code;
}

/** Every file that gets noise, by its URL: for processes. */
export function noisySources(): Record<string, string> {
  const files = globSync(['lib/**/*.ts', 'functions/**/*.ts', 'local/aep/**/*.ts'], { cwd: ROOT });
  // What is compiled to WebAssembly is no module.
  const modules = files.filter((file) => !file.includes('assembly'));
  return Object.fromEntries(
    [...modules, CHILD].map((file) => [pathToFileURL(join(ROOT, file)).href, noisySource(join(ROOT, file))]),
  );
}

/** Starts the processes of the functions, which get the same hooks as the one that starts them. */
const CHILD = 'local/aws/function-child.ts';
const START = 'process.execPath,';

function withHooks(js: string): string {
  const [before, after, ...more] = js.split(START);
  const script = after?.indexOf('PROCESS_SCRIPT,') ?? -1;
  if (before === undefined || after === undefined || script < 0 || more.length > 0)
    throw new Error(`${CHILD} starts no process of a function any more: noise needs it`);
  return `${before}${START}${after.slice(0, script)}...process.execArgv, ${after.slice(script)}`;
}

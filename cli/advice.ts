// What to type after an error of a function: it advises who writes events, and here a command was typed.
import { MistakeError, toldOf } from '../terminal/mistake.ts';
import type { Target } from './target.ts';
import type { Given } from './words.ts';

interface Typed {
  readonly command: string;
  readonly given: Given;
  readonly target: Pick<Target, 'words'>;
}

/** By the code of the failure. None of `check`, which tells its mistakes as its answer. */
const NEXT: Readonly<Record<string, (typed: Typed) => string>> = {
  EVENT_INVALID: ({ command, target: { words } }) =>
    `${['penstock status', ...words].join(' ')} lists the pipelines, and penstock ${command} --help the words.`,
  MANIFEST_INVALID: ({ given }) =>
    `Correct the manifest (docs/manifest.md), and try it: penstock check ${fileIn(given)}`,
  MAPPING_INVALID: ({ given }) =>
    `Correct the mapping, or the samples beside the manifest, and try them: penstock check ${fileIn(given)}`,
  PLAN_MOVED: ({ given, target: { words } }) =>
    `Look at the new plan, and apply with its token: ${['penstock plan', fileIn(given), ...words].join(' ')}`,
};

/** Their argument is the file of a manifest. */
const OF_FILES: ReadonlySet<string> = new Set(['plan', 'apply', 'retire']);

/** The same error; of some codes with the command that is next. */
export function asTyped(error: unknown, typed: Typed): unknown {
  const told = toldOf(error);
  const next = told === undefined ? undefined : NEXT[told.code];
  if (told === undefined || next === undefined) return error;
  if (told.code !== 'EVENT_INVALID' && !OF_FILES.has(typed.command)) return error;
  return new MistakeError(told.code, told.what.trimEnd(), next(typed), error);
}

function fileIn({ arguments: [file = ''] }: Given): string {
  return /^[\w./@:+-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
}

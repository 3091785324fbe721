// What goes wrong in a command itself, before any function is asked, and how an error is told.

/** Codes of the commands' own; those of the functions are in `lib/failure.ts`. */
export type MistakeCode =
  | 'USAGE'
  | 'FILE_UNREADABLE'
  | 'FILE_UNWRITABLE'
  | 'NOT_A_TERMINAL'
  | 'DECLINED'
  | 'PRODUCTION'
  | 'WRONG_SANDBOX'
  | 'WRONG_STAGE'
  | 'CONFLICT'
  | 'BUSY'
  | 'INTERRUPTED'
  | 'JOURNEY_FAILED'
  | 'NO_RECORDS'
  | 'NOT_FOUND'
  | 'NO_CREDENTIALS'
  | 'EXPIRED_CREDENTIALS'
  | 'NO_REGION'
  | 'NO_STACK'
  | 'OTHER_VERSION'
  | 'FUNCTION_MISSING'
  | 'AWS_REFUSED'
  | 'AWS_UNAVAILABLE'
  | 'AWS_THROTTLED'
  | 'FUNCTION_FAILED'
  | 'EXECUTION_FAILED'
  | 'NODE_MISSING'
  | 'EVENT_UNFIT'
  | 'GITHUB_REFUSED'
  | 'TOO_MANY_FILES'
  | 'NO_PLAN';

/** A mistake that its reader can mend: what happened, and the next command. */
export class MistakeError extends Error {
  override readonly name: string = 'MistakeError';
  readonly code: string;
  /** What to do next; a whole command line where there is one. */
  readonly next: string | undefined;

  /** @param code a `MistakeCode`, or a code of `lib/failure.ts` that a function answered with */
  constructor(code: MistakeCode | (string & {}), what: string, next?: string, cause?: unknown) {
    super(what, cause === undefined ? undefined : { cause });
    this.code = code;
    this.next = next;
  }
}

/** A file that somebody has named, and that the system does not give. */
export function unreadable(
  file: string,
  error: unknown,
  next = 'Name a file that is there, and that you may read.',
): MistakeError {
  const { code = 'an error' } = error as NodeJS.ErrnoException;
  return new MistakeError('FILE_UNREADABLE', `${file} cannot be read (${code})`, next, error);
}

/** An error as `--json` shows it, and as lines. */
export interface Told {
  readonly code: string;
  readonly what: string;
  readonly next?: string;
}

/** What to tell of an error: `undefined` for a defect of the program, whose stack is shown. */
export function toldOf(error: unknown): Told | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, what = error.message, next } = error as Error & Partial<Told>;
  // A `Failure` is known by its fields: importing its class would make every start slower.
  const isKnown = error instanceof MistakeError || ('retryable' in error && 'what' in error);
  if (!isKnown || code === undefined) return undefined;
  return { code, what, ...(next !== undefined && { next }) };
}

/** A mistake in a command line, which says nothing of where its help is: the program that was typed knows that. */
export function withHelp(error: unknown, help: string): unknown {
  const told = toldOf(error);
  if (told?.code !== 'USAGE' || told.next !== undefined) return error;
  return new MistakeError(told.code, told.what, help, error);
}

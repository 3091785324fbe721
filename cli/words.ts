// The shape of a command and of its words: help, completions and docs/cli.md are made from them.
import type { Context } from './context.ts';

/** What stands after a command's name. */
export interface Argument {
  /** `PIPELINE`, `FILES`: as help shows it. */
  readonly name: string;
  readonly summary: string;
  readonly isOptional?: boolean;
  /** Takes all that follow; only the last one may. */
  readonly isMany?: boolean;
  /** What a shell offers here; nothing where it is left out. */
  readonly offers?: Offers;
}

/** What a shell offers for a value: files, folders, or these words. */
export type Offers = 'files' | 'folders' | readonly string[];

export interface Option {
  /** `sandbox` of `--sandbox NAME`. */
  readonly name: string;
  /** `NAME` of `--sandbox NAME`; a switch where it is left out. */
  readonly value?: string;
  /** `f` of `-f`. */
  readonly short?: string;
  readonly summary: string;
  /** May be given more than once. */
  readonly isMany?: boolean;
  readonly offers?: Offers;
}

/** How a process ends: 0 done or nothing to do, 1 an error, 2 changes or not well, 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 130;

export interface Given {
  /** In the order in which they stand on the command line. */
  readonly arguments: readonly string[];
  /** By name: `true` of a switch, a text of an option with a value, a list of one that may be given more than once. */
  readonly options: Readonly<Record<string, string | true | readonly string[] | undefined>>;
}

export interface Command {
  /** `plan`: what stands after `penstock`. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** More than the line: paragraphs for the command's own help. */
  readonly about?: readonly string[];
  readonly arguments?: readonly Argument[];
  readonly options?: readonly Option[];
  /** Whole command lines. */
  readonly examples?: readonly string[];
  /** Whether these words change something. A stack of another version is then refused; otherwise a note tells of it. */
  isChanging?(given: Given): boolean;
  /** Whether it hears the signal, and ends in its own way: only a second Ctrl-C cuts it short. All others are cut at once. */
  readonly endsItself?: boolean;
  /**
   * Imports what it needs when it runs: help starts at once.
   * @throws Failure for all that a user can mend
   */
  run(context: Context, given: Given): Promise<ExitCode>;
}

/** Of every command that asks the functions something. */
export const TARGET: readonly Option[] = [
  { name: 'local', summary: 'the simulated platform on this machine, the default where no stage is named' },
  { name: 'stage', value: 'STAGE', summary: 'a deployed stack, with AWS credentials as the SDK finds them' },
  { name: 'region', value: 'REGION', summary: 'the region of the stack, where the SDK finds another' },
];

export const JSON_OPTION: Option = { name: 'json', summary: 'one JSON document on standard output' };

export const YES: Option = { name: 'yes', short: 'y', summary: 'asks nothing' };

export const SANDBOX: Option = {
  name: 'sandbox',
  value: 'NAME',
  summary: 'the sandbox that is meant: needed for a production sandbox where nobody can type its name',
};

export const DRAIN: Option = {
  name: 'drain',
  value: 'SECONDS',
  summary: 'how long a dataflow that goes still takes what is on its way (900; on this machine 2)',
};

/** The value of an option that is given once. */
export function textOf(given: Given, name: string): string | undefined {
  const value = given.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** The values of an option that may be given more than once. */
export function textsOf(given: Given, name: string): readonly string[] {
  const value = given.options[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

export function isGiven(given: Given, name: string): boolean {
  return given.options[name] === true;
}

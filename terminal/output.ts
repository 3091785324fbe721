// What a command prints: lines, tables and progress on a terminal, plain lines elsewhere, one document with `--json`.
import { stripVTControlCharacters } from 'node:util';
import type { createColors } from 'picocolors';

export type Colours = ReturnType<typeof createColors>;

/** A piece of work that takes time. */
export interface Work {
  /** Whether its line moves: elsewhere each word is a line of its own. */
  readonly isMoving: boolean;
  /** Where it is. */
  to(text: string): void;
  done(text: string): void;
  failed(text: string): void;
}

export interface Output {
  /** Whether one document is wanted in place of lines. */
  readonly isJson: boolean;
  /** Whether somebody is there who can be asked. */
  readonly isTerminal: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  readonly colours: Colours;
  /** A line on standard output; nothing with `--json`. */
  line(text?: string): void;
  /** A line on standard output, also with `--json`: one of many that are told as they come. */
  raw(text: string): void;
  /** No wider than the terminal: the widest column is broken into lines. Nothing with `--json`. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void>;
  /** The document on standard output; nothing without `--json`. */
  json(value: unknown): void;
  /** A line on standard error: what is no answer. */
  note(text: string): void;
  /** Code, cause and next command, on standard error; with `--json` as a document there. */
  error(error: unknown): void;
  /** Shown on standard error: a moving line on a terminal, plain lines elsewhere. */
  work(text: string): Promise<Work>;
  /** @throws MistakeError where nobody can be asked */
  confirm(question: string): Promise<boolean>;
  /** @throws MistakeError where nobody can be asked */
  ask(question: string): Promise<string>;
}

/** How many columns a text takes where it has no wide letters. */
export function columnsOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

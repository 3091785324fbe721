// What is shown to people: lines, tables and progress on a terminal, plain lines elsewhere, one document with `--json`.
import type { createColors } from 'picocolors';

export type Colours = ReturnType<typeof createColors>;

/** A piece of work that takes time. Once it is done or has failed, nothing changes what it shows. */
export interface Work {
  /** Whether its line moves: elsewhere each word is a line of its own. */
  readonly isMoving: boolean;
  /**
   * Where it is.
   * @param value how much of the total is done, where there is a total
   */
  to(text: string, value?: number): void;
  /** Its end: a bar is full. */
  done(text?: string): void;
  failed(text?: string): void;
}

export interface Output {
  /** Whether one document is wanted in place of lines. */
  readonly isJson: boolean;
  /** Whether somebody is there who can be asked. */
  readonly isTerminal: boolean;
  /** Columns of the terminal; without end elsewhere. */
  readonly width: number;
  readonly colours: Colours;
  /** Prose on standard output, broken between words where a terminal is narrower; nothing with `--json`. */
  line(text?: string): void;
  /** A line on standard output that somebody may copy: never broken. Nothing with `--json`. */
  whole(text: string): void;
  /** A line on standard output, also with `--json`: one of many that are told as they come. */
  raw(text: string): void;
  /**
   * No wider than the terminal: the widest column is broken into lines, and where that does not do, rows are lists.
   * Elsewhere a line of a cell is a line. Nothing with `--json`.
   * @param head the names of the columns; none where the rows speak for themselves
   */
  table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void>;
  /** The document on standard output; nothing without `--json`. */
  json(value: unknown): void;
  /** A line on standard error: what is no answer. */
  note(text: string): void;
  /**
   * Code, cause and next command, on standard error. With `--json` also as the document on standard output, where that
   * has none yet.
   */
  error(error: unknown): void;
  /**
   * Shown on standard error: a moving line on a terminal, plain lines elsewhere.
   * @param total how much there is to do, where that is known: a bar shows it
   */
  work(title: string, total?: number): Promise<Work>;
  /** Gives the terminal back as it was, whatever is going on: work that is not done has failed. */
  stop(): void;
  /** @throws MistakeError where nobody can be asked; `INTERRUPTED` after Ctrl-C */
  confirm(question: string): Promise<boolean>;
  /** @throws MistakeError where nobody can be asked; `INTERRUPTED` after Ctrl-C */
  ask(question: string): Promise<string>;
}

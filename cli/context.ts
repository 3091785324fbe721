// What a command is handed: where its questions go, where its answers go, and what surrounds it.
import type { Output } from '../terminal/output.ts';
import type { Target } from './target.ts';

export interface Context {
  /** The functions and the state machine; connected by its first call. */
  readonly target: Target;
  readonly output: Output;
  /** The folder that paths are relative to. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C or a polite kill. */
  readonly signal: AbortSignal;
}

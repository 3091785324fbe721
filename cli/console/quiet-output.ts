// The output of a command that nobody reads as text: what it would print as JSON is kept, and where it is is told.
import { toldOf } from '../../terminal/mistake.ts';
import type { Colours, Output } from '../../terminal/output.ts';

export interface Quiet {
  readonly output: Output;
  /** What `--json` would have printed last; `undefined` before. */
  document(): unknown;
}

const plain = new Proxy({}, { get: () => (text: unknown) => String(text) }) as Colours;
const nothing = () => undefined;

/** @param tell where a piece of work is, in words */
export function quietOutput(tell: (says: string) => void): Quiet {
  let kept: unknown;
  const unasked = () => Promise.reject(new Error('a page has no terminal'));
  const output: Output = {
    isJson: true,
    isTerminal: false,
    width: Number.POSITIVE_INFINITY,
    colours: plain,
    ...{ line: nothing, whole: nothing, raw: nothing, note: nothing, stop: nothing },
    table: () => Promise.resolve(),
    json(value) {
      kept = value;
    },
    error: (error) => tell(toldOf(error)?.what ?? String(error)),
    async work(title) {
      tell(title);
      return { isMoving: false, to: (text) => tell(`${title}: ${text}`), done: nothing, failed: nothing };
    },
    confirm: unasked,
    ask: unasked,
  };
  return { output, document: () => kept };
}

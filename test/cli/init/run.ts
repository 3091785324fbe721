// Runs the command init in the process of the test, with an output that keeps what it is told.
import { init } from '../../../cli/commands/init.ts';
import type { Context } from '../../../cli/context.ts';
import type { Target } from '../../../cli/target.ts';

export interface Ran {
  readonly exitCode: number;
  readonly lines: readonly string[];
  /** What `--json` would print. */
  readonly document: unknown;
}

export async function runInit(
  options: Readonly<Record<string, string | true>>,
  { signal, target }: { readonly signal?: AbortSignal | undefined; readonly target?: Target } = {},
): Promise<Ran> {
  const lines: string[] = [];
  let document: unknown;
  const same = (text: string) => text;
  const work = { isMoving: false, to: () => undefined, done: () => undefined, failed: () => undefined };
  const context = {
    target,
    folder: '.',
    env: {},
    signal: signal ?? new AbortController().signal,
    output: {
      isJson: false,
      isTerminal: false,
      width: 100,
      colours: { bold: same, red: same, cyan: same },
      line: (text = '') => lines.push(text),
      whole: (text: string) => lines.push(text),
      table: async (head: string[], rows: string[][]) => {
        lines.push(...[head, ...rows].map((row) => row.join(' | ')));
      },
      json: (value: unknown) => {
        document = value;
      },
      note: () => undefined,
      work: async () => work,
    },
  } as unknown as Context;
  const exitCode = await init.run(context, { arguments: [], options });
  return { exitCode, lines, document };
}

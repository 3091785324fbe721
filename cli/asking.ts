// The command that asks what a function advises to ask: one table from a function's event to the words of a command.
import type { Ask } from '../lib/ask.ts';
import type { Target } from './target.ts';

/** What the events hold that functions advise. */
interface Event {
  readonly pipeline?: string;
  readonly doctor?: boolean;
  readonly stream?: string;
  readonly source?: string;
  readonly where?: { readonly arrived?: { readonly from?: string; readonly to?: string } };
}

const COMMANDS: Readonly<Record<string, (event: Event) => readonly (string | undefined)[]>> = {
  status: ({ pipeline, doctor }) => [doctor ? 'doctor' : 'status', pipeline],
  reconcile: ({ pipeline }) => ['reconcile', pipeline],
  redrive: ({ stream, pipeline, source, where: { arrived = {} } = {} }) => [
    'redrive',
    stream,
    ...['--pipeline', pipeline],
    ...['--source', source],
    ...(arrived.from === undefined ? [] : ['--from', arrived.from]),
    ...(arrived.to === undefined ? [] : ['--to', arrived.to]),
  ],
};

/** A whole command line for the same target; `undefined` where no command asks that. */
export function commandFor(
  { function: name, event }: Ask,
  { words }: Pick<Target, 'words'>,
): string | undefined {
  const made = COMMANDS[name]?.(event);
  if (made === undefined || made.includes(undefined)) return undefined;
  return ['penstock', ...made, ...words].join(' ');
}

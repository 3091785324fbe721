// `penstock tap`: the next records of a stream, what would be sent of them, and what the mapping makes of it. Sends nothing.
import type { TapAnswer, TappedMessage } from '../../lib/tap/tap.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import { printable } from '../../terminal/printable.ts';
import type { Context } from '../context.ts';
import { type Command, JSON_OPTION, TARGET, textOf } from '../words.ts';

const TAKEN = 10;
const MAX_TAKEN = 1_000;
/** A tap ends after so long, in ms. */
const TAP_MS = 60_000;
/** Between two looks, in ms: a shard answers five reads a second for all its readers together. */
const PAUSE_MS = 1_000;

export const tap: Command = {
  name: 'tap',
  summary: 'shows the next records of a stream as they come, as they would be sent, and as they are mapped',
  about: [
    "Looks with the forwarder's own stages, and with a preview of the mapping that the flow in Experience Platform has. Sends nothing, and stores nothing.",
    'Ends after a minute, or after so many messages. Where a pipeline of the stream redacts, records are not shown as they came.',
  ],
  arguments: [{ name: 'PIPELINE', summary: 'its name' }],
  options: [
    { name: 'take', value: 'N', summary: `ends after so many messages (${TAKEN}; ${MAX_TAKEN} at most)` },
    ...TARGET,
    JSON_OPTION,
  ],
  examples: ['penstock tap orders', 'penstock tap orders --take 100 --stage prod --json'],
  endsItself: true,
  async run(context, given) {
    const { output, signal } = context;
    const [pipeline = ''] = given.arguments;
    const take = takenIn(textOf(given, 'take') ?? String(TAKEN));
    const messages: TappedMessage[] = [];
    let about: Omit<TapAnswer, 'messages' | 'continue' | 'leftOut'> | undefined;
    for await (const { messages: next, continue: _, leftOut, ...rest } of answersFor(
      pipeline,
      take,
      context,
    )) {
      if (about === undefined) begin(rest, context);
      about = rest;
      for (const message of next) tell(message, rest, context);
      if (leftOut > 0) output.line(`${leftOut} more messages of the last record are not shown.`);
      messages.push(...next);
    }
    output.json({ ...about, messages });
    if (signal.aborted) return 130;
    output.line(
      messages.length === 0
        ? 'No record came within a minute.'
        : `${messages.length} ${messages.length === 1 ? 'message' : 'messages'} looked at. Nothing was sent.`,
    );
    return 0;
  },
};

/** @throws MistakeError `USAGE` */
function takenIn(text: string): number {
  const taken = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (taken >= 1 && taken <= MAX_TAKEN) return taken;
  throw new MistakeError(
    'USAGE',
    `--take: expected a number from 1 to ${MAX_TAKEN}; found "${text}"`,
    'penstock tap --help',
  );
}

/** Most messages that the function is asked for at once. */
const MAX_ASKED = 25;

/** Until enough came, a minute is over, or Ctrl-C. */
async function* answersFor(
  pipeline: string,
  take: number,
  { target, signal }: Context,
): AsyncGenerator<TapAnswer> {
  const until = Date.now() + TAP_MS;
  let left = take;
  let next: TapAnswer['continue'] | undefined;
  for (;;) {
    const limit = Math.min(left, MAX_ASKED);
    const asked = { pipeline, limit, ...(next !== undefined && { continue: next }) };
    const answer = (await target.invoke('tap', asked)) as TapAnswer;
    yield answer;
    next = answer.continue;
    left -= answer.messages.length;
    if (left <= 0 || Date.now() >= until || signal.aborted) return;
    // What fills an answer may have more behind it.
    if (answer.messages.length < limit) await pause(signal);
    if (signal.aborted) return;
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, PAUSE_MS);
    signal.addEventListener('abort', done);
  });
}

type About = Pick<TapAnswer, 'data' | 'redacts' | 'stream'>;

function begin({ stream, redacts, data }: About, { output }: Context): void {
  output.line(`Looks at ${stream} for a minute at most. Nothing is sent.`);
  if (redacts)
    output.line('A pipeline of this stream redacts: what came is not shown, only what would be sent.');
  if (data === 'xdm') output.line('The records are XDM: there is no mapping.');
}

function tell(
  { shardId, sequenceNumber, subSequenceNumber, arrivedAt, outcome, reason, text, ...texts }: TappedMessage,
  { redacts }: About,
  { output }: Context,
): void {
  const { green, red, yellow, dim } = output.colours;
  const paint = { sent: green, rejected: red, filtered: yellow, unrouted: yellow, waits: yellow }[outcome];
  const place = [shardId, sequenceNumber, subSequenceNumber, arrivedAt].filter((one) => one !== undefined);
  output.whole(`${paint(outcome.padEnd(8))}  ${dim(place.join(' '))}`);
  const why = [reason, text].filter((one) => one !== undefined).join(': ');
  const { came, sends, maps, unmapped, faults = [] } = texts;
  const parts: [string, string | undefined][] = [
    ['why', why === '' ? undefined : why],
    ['came', redacts || came === sends ? undefined : came],
    ['sends', sends],
    ['maps', maps],
    ['no map', unmapped],
    ...faults.map((fault): [string, string] => ['fault', fault]),
  ];
  for (const [name, value] of parts)
    if (value !== undefined) output.whole(`  ${name.padEnd(6)} ${printable(value)}`);
}

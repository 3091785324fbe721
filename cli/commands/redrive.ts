// `penstock redrive`: sends rejected records again, after a dry run that says what would be sent.
import { MistakeError } from '../../terminal/mistake.ts';
import {
  type Command,
  type Given,
  isGiven,
  JSON_OPTION,
  SANDBOX,
  TARGET,
  textOf,
  textsOf,
  YES,
} from '../words.ts';

const SOURCES = ['rejected', 'parked', 'unrouted', 'on-failure', 'stream'];

export const redrive: Command = {
  name: 'redrive',
  summary: 'sends rejected records again; shows first what would be sent',
  about: [
    'The dry run comes first. Then it asks; --yes answers. With --dry-run that is all.',
    'A production sandbox needs its name, typed or in --sandbox.',
  ],
  arguments: [{ name: 'STREAM', summary: 'name or ARN of the stream' }],
  options: [
    {
      name: 'pipeline',
      value: 'PIPELINE',
      summary: 'whose route it is sent by, where the stream has several',
    },
    {
      name: 'source',
      value: 'SOURCE',
      summary: `what is sent again: ${SOURCES.join(', ')} (rejected)`,
      offers: SOURCES,
    },
    { name: 'reason', value: 'REASON', summary: 'only what was rejected for it', isMany: true },
    { name: 'from', value: 'TIME', summary: 'only what came to the stream then or later (ISO 8601)' },
    { name: 'to', value: 'TIME', summary: 'only what came to the stream then or earlier (ISO 8601)' },
    { name: 'limit', value: 'N', summary: 'the most records' },
    { name: 'rate', value: 'N', summary: 'the most messages a second' },
    { name: 'dry-run', summary: 'says what would be sent, and sends nothing' },
    SANDBOX,
    ...TARGET,
    YES,
    JSON_OPTION,
  ],
  examples: [
    'penstock redrive customers --dry-run',
    'penstock redrive customers --reason rejected-by-inlet --yes',
  ],
  isChanging: (given) => !isGiven(given, 'dry-run'),
  endsItself: true,
  async run(context, given) {
    const { redriveAsked } = await import('../redriving.ts');
    return redriveAsked(context, given, requestOf(given));
  },
};

/** RFC 3339, with a zone. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;

/** @throws MistakeError */
function requestOf(given: Given): Record<string, unknown> {
  const [stream = ''] = given.arguments;
  const source = textOf(given, 'source') ?? 'rejected';
  if (!SOURCES.includes(source))
    throw new MistakeError(
      'USAGE',
      `--source: expected ${SOURCES.join(', ')}; found "${source}"`,
      'penstock redrive --help',
    );
  const reasons = textsOf(given, 'reason');
  const [from, to] = [timeOf(given, 'from'), timeOf(given, 'to')];
  const pipeline = textOf(given, 'pipeline');
  const where = {
    ...(reasons.length > 0 && { reasons }),
    ...((from ?? to) !== undefined && {
      arrived: { ...(from !== undefined && { from }), ...(to !== undefined && { to }) },
    }),
  };
  return {
    stream,
    source,
    where,
    ...(pipeline !== undefined && { pipeline }),
    ...numbersOf(given),
  };
}

/** @throws MistakeError where it is no time with its zone, as the function takes it */
function timeOf(given: Given, name: string): string | undefined {
  const text = textOf(given, name);
  const isTime = text === undefined || (TIME.test(text) && !Number.isNaN(Date.parse(text)));
  if (isTime) return text;
  throw new MistakeError(
    'USAGE',
    `--${name}: expected a time such as 2026-11-28T10:00:00Z; found "${text}"`,
    'penstock redrive --help',
  );
}

function numbersOf(given: Given): Record<string, number> {
  return Object.fromEntries(
    ['limit', 'rate'].flatMap((name) => {
      const text = textOf(given, name);
      if (text === undefined) return [];
      const value = Number(text);
      if (Number.isFinite(value) && value > 0) return [[name, value]];
      throw new MistakeError(
        'USAGE',
        `--${name}: expected a number; found "${text}"`,
        'penstock redrive --help',
      );
    }),
  );
}

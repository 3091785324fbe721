// `penstock logs`: what the functions have logged of a pipeline, and with -f further as it comes.
import { MistakeError } from '../../terminal/mistake.ts';
import { type Command, isGiven, JSON_OPTION, TARGET, textOf, textsOf } from '../words.ts';

/** Whose lines are of interest where none is named: what carries records. */
const FUNCTIONS = ['forward', 'redrive', 'reconcile'];
/** Every function of serverless.yml: one that is not there would have no lines, and nobody would learn why. */
const KNOWN = [
  'begin',
  'plan',
  'schema',
  'identity',
  'dataset',
  'identityDataset',
  'baseConnection',
  'sourceConnection',
  'targetConnection',
  'mapping',
  'flow',
  'verify',
  'publish',
  'trigger',
  'stop',
  'retire',
  'rollback',
  'report',
  'status',
  'drift',
  'import',
  'tap',
  'forward',
  'redrive',
  'reconcile',
  'deployHook',
  'cleanup',
];

export const logs: Command = {
  name: 'logs',
  summary: 'shows what the functions have logged; -f follows',
  arguments: [{ name: 'PIPELINE', summary: 'only lines that name it', isOptional: true }],
  options: [
    { name: 'follow', short: 'f', summary: 'goes on until Ctrl-C' },
    { name: 'since', value: 'MINUTES', summary: 'lines of the last minutes (15)' },
    {
      name: 'function',
      value: 'NAME',
      summary: `a function, as serverless.yml names it (${FUNCTIONS.join(', ')})`,
      isMany: true,
      offers: KNOWN,
    },
    ...TARGET,
    { ...JSON_OPTION, summary: 'each line as it is' },
  ],
  examples: ['penstock logs orders -f --stage prod', 'penstock logs --function plan'],
  endsItself: true,
  async run({ target, output, signal }, given) {
    const { logText } = await import('../log-text.ts');
    const [pipeline] = given.arguments;
    const minutes = minutesIn(textOf(given, 'since') ?? '15');
    const named = knownOf(textsOf(given, 'function'));
    const asked = {
      functions: named.length > 0 ? named : FUNCTIONS,
      since: Date.now() - minutes * 60_000,
      ...(pipeline !== undefined && { pipeline }),
      isFollowed: isGiven(given, 'follow'),
      signal,
    };
    /** `status` refuses a pipeline that it does not know. */
    const checkKnown = async () => {
      if (pipeline !== undefined) await target.invoke('status', { pipeline });
    };
    // Lines of an unknown pipeline would be waited for in vain.
    if (asked.isFollowed) await checkKnown();
    let count = 0;
    for await (const line of target.logs(asked)) {
      count++;
      output.raw(output.isJson ? line.text : logText(line, output.colours));
    }
    if (count > 0) return 0;
    await checkKnown();
    output.note(`There is no such line of the last ${minutes} minutes of ${asked.functions.join(', ')}.`);
    return 0;
  },
};

/** @throws MistakeError */
function minutesIn(text: string): number {
  const minutes = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isNaN(minutes)) return minutes;
  throw new MistakeError('USAGE', `--since: expected minutes; found "${text}"`, 'penstock logs --help');
}

/** @throws MistakeError */
function knownOf(names: readonly string[]): readonly string[] {
  const unknown = names.find((name) => !KNOWN.includes(name));
  if (unknown === undefined) return names;
  throw new MistakeError(
    'USAGE',
    `--function: expected ${KNOWN.join(', ')}; found "${unknown}"`,
    'penstock logs --help',
  );
}

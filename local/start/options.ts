// The command line of `npm start`: what may be said, and a clear answer to what may not.
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MistakeError } from '../../terminal/mistake.ts';
import { CommandLineError, commandLine } from '../aep/command-line.ts';
import { parseQuirks, QUIRK_HELP, type Quirks } from '../aep/quirks.ts';
import type { Standard } from '../aep/xdm/standard.ts';
import type { Encoding } from './records.ts';

/** `examples/customer-profiles.json` from the folder of the project, and the same file from any other. */
const SAMPLE_MANIFEST = relative(
  process.cwd(),
  fileURLToPath(new URL('../../examples/customer-profiles.json', import.meta.url)),
);
const ENCODINGS: ReadonlySet<string> = new Set(['text', 'base64']);

export interface StartOptions {
  /** The pipelines: one, or several that are routes of one stream. */
  readonly manifests: readonly [string, ...string[]];
  /** A file of one record a line, or a folder of one record a file; sample records where there is none. */
  readonly records: string | undefined;
  /** Of the lines of that file. */
  readonly encoding: Encoding;
  /** Whether sample records are what is wanted where there are no others. */
  readonly areSamples: boolean;
  /** How many sample records. */
  readonly generate: number;
  /** Size of a sample record, in bytes. */
  readonly recordBytes: number;
  readonly seed: number;
  readonly warmUpSeconds: number;
  readonly shards: number;
  /** A second manifest of the pipeline, applied while the records come. */
  readonly change: string | undefined;
  /** Takes the pipeline down at the end. */
  readonly retire: boolean;
  /** A file of faults for the platform to show. */
  readonly faults: string | undefined;
  /** A checkout of Adobe's XDM, which the platform then knows. */
  readonly xdm: string | undefined;
  /** Which variants the platform plays where Adobe's material says two things. */
  readonly quirks: Partial<Quirks>;
  /** Asks programs, too, for the token that browsers need. */
  readonly needsToken: boolean;
  readonly keep: boolean;
  /** Lets the page save mappings into the manifests. */
  readonly edit: boolean;
  /** Makes no pipeline and sends nothing. */
  readonly isEmpty: boolean;
  readonly verbose: boolean;
}

export const HELP = `Runs one pipeline and its records on this machine, with a simulated Experience Platform and a local AWS.

  npm start -- [options]
`;

/** Each option, and what it is for. */
export const OPTIONS_HELP: readonly (readonly [option: string, purpose: string])[] = [
  [
    '--manifest FILE',
    'the pipeline (examples/customer-profiles.json). Can be given more than once, for pipelines of one stream: each takes the records that meet its own "where"',
  ],
  [
    '--records FILE',
    'the records to send, one a line (NDJSON). A folder sends each of its files as one record; line 3 of the report is then the third file by name. Without --records, the manifests of customers get sample customers. The examples that AEP reads by itself (examples/orders-kinesis.json, clicks-event-hubs.json, loyalty-pubsub.json) get their records of events/samples. Of any other source that AEP reads, only the pipeline is made.',
  ],
  ['--encoding base64', 'each line of the file is a record in base64 (gzip, KPL aggregates, any bytes)'],
  ['--generate N', 'how many sample customers (10000)'],
  ['--record-bytes N', 'size of a sample record in bytes (1000)'],
  ['--seed N', "seed of the sample records and of the platform's ids (1)"],
  ['--warm-up SECONDS', 'how long a new flow warms up here (5; Adobe asks for 300)'],
  [
    '--shards N',
    "shards of the stream (1); where AEP reads the stream by itself, AWS's limits for a shard hold",
  ],
  [
    '--change FILE',
    'a changed manifest of the same pipeline: prints its plan, then applies it while records come',
  ],
  ['--retire', 'take the pipeline down at the end'],
  [
    '--faults FILE',
    'faults of the platform while records are forwarded (JSON; local/aep/README.md lists them)',
  ],
  ['--xdm DIR', 'a checkout of github.com/adobe/xdm, for field groups of Adobe that are not built in'],
  [
    '--quirk NAME=VALUE',
    `how the platform behaves where Adobe's pages contradict each other (docs/fidelity.md). Can be given more than once. Values, and the default in brackets:\n${QUIRK_HELP.replaceAll(/^ +/gm, '')}`,
  ],
  [
    '--admin-token',
    'asks programs, too, for the token that browsers need at /_simulator/ and at the page. PENSTOCK_ADMIN_TOKEN names one',
  ],
  ['--keep', 'leave everything running and print the addresses'],
  ['--edit', "with --keep: the page's Mapping area may save what you type into the manifest's file"],
  ['--empty', 'with --keep: make no pipeline, and send nothing'],
  ['--verbose', 'also print what the functions log'],
  ['--help', 'this text'],
];

/** The mistake in a command line; whoever was typed adds where its help is. */
export class UsageError extends MistakeError {
  constructor(what: string) {
    super('USAGE', what);
  }
}

/** @throws UsageError */
export function parseOptions(args: string[]): StartOptions | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  if (values.records !== undefined && values.generate !== undefined) {
    throw new UsageError('--records and --generate cannot be used together');
  }
  if (values.encoding !== undefined && !ENCODINGS.has(values.encoding))
    throw new UsageError(`--encoding: expected text or base64; found "${values.encoding}"`);
  if (values.encoding !== undefined && values.records === undefined)
    throw new UsageError('--encoding is for the lines of a file: add --records FILE');
  if (values.edit && !values.keep) throw new UsageError('--edit is for a page that stays: add --keep');
  if (values.edit && values.empty)
    throw new UsageError('--edit is for the manifests that it begins with, and --empty begins with none');
  return {
    manifests: [values.manifest?.[0] ?? SAMPLE_MANIFEST, ...(values.manifest?.slice(1) ?? [])],
    records: values.records,
    encoding: (values.encoding ?? 'text') as Encoding,
    areSamples: values.manifest === undefined || values.generate !== undefined,
    generate: whole('--generate', values.generate, 10_000, 1, 1_000_000),
    recordBytes: whole('--record-bytes', values['record-bytes'], 1_000, 1, 500_000),
    seed: whole('--seed', values.seed, 1, 0, 4_294_967_295),
    warmUpSeconds: whole('--warm-up', values['warm-up'], 5, 0, 3_600),
    shards: whole('--shards', values.shards, 1, 1, 16),
    change: values.change,
    retire: values.retire ?? false,
    faults: values.faults,
    xdm: values.xdm,
    quirks: quirks(values.quirk ?? []),
    needsToken: values['admin-token'] ?? false,
    keep: values.keep ?? false,
    edit: values.edit ?? false,
    isEmpty: values.empty ?? false,
    verbose: values.verbose ?? false,
  };
}

/** @throws UsageError where it is no checkout of Adobe's XDM */
export async function xdmIn(folder: string): Promise<Standard> {
  // Loaded only where it is asked for: few do.
  const { CheckoutError, standardWith } = await import('../aep/xdm/checkout.ts');
  try {
    return standardWith(folder);
  } catch (error) {
    if (error instanceof CheckoutError) throw new UsageError(`--xdm: ${error.message}`);
    throw error;
  }
}

function parse(args: string[]) {
  try {
    return commandLine({
      args,
      options: {
        manifest: { type: 'string', multiple: true },
        records: { type: 'string' },
        encoding: { type: 'string' },
        generate: { type: 'string' },
        'record-bytes': { type: 'string' },
        seed: { type: 'string' },
        'warm-up': { type: 'string' },
        shards: { type: 'string' },
        change: { type: 'string' },
        retire: { type: 'boolean' },
        faults: { type: 'string' },
        xdm: { type: 'string' },
        quirk: { type: 'string', multiple: true },
        'admin-token': { type: 'boolean' },
        keep: { type: 'boolean' },
        edit: { type: 'boolean' },
        empty: { type: 'boolean' },
        verbose: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw error instanceof CommandLineError ? new UsageError(error.message) : error;
  }
}

/** @throws UsageError */
function quirks(words: readonly string[]): Partial<Quirks> {
  try {
    return parseQuirks(words);
  } catch (error) {
    throw new UsageError(`--${(error as Error).message}`);
  }
}

function whole(
  name: string,
  text: string | undefined,
  fallback: number,
  least: number,
  most: number,
): number {
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${name}: expected a whole number from ${least} to ${most}; found "${text}"`);
}
